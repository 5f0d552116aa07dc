// Where a token is pasted, once: it leaves for the cookie and is forgotten here.
import { useEffect, useRef, useState } from "react";
import { closeSession, openSession } from "./request.js";

export function SessionDialog({ session, demonstrations, reason, onSession, onClose }) {
  const dialog = useRef(null);
  const [failure, setFailure] = useState(reason);
  useEffect(() => dialog.current.showModal(), []);

  const attempt = (action) => action().then(onSession, (error) => setFailure(error.message));
  const paste = (event) => {
    event.preventDefault();
    const field = event.target.elements.jeton;
    const token = field.value;
    field.value = "";
    attempt(() => openSession({ jeton: token }));
  };

  // What was read with the token goes with it: requests kept by this tab, answers on screen.
  const leave = async () => {
    await closeSession();
    sessionStorage.clear();
    location.reload();
  };

  return (
    <dialog ref={dialog} className="session" aria-labelledby="session-titre" onClose={onClose}>
      <h2 id="session-titre">Changer de jeton</h2>
      {demonstrations.length > 0 && (
        <fieldset>
          <legend>Jetons de démonstration</legend>
          {demonstrations.map((name) => (
            <button type="button" key={name} aria-pressed={session?.libelle === name}
              onClick={() => attempt(() => openSession({ demonstration: name }))}>{name}</button>
          ))}
        </fieldset>
      )}
      <form onSubmit={paste}>
        <label htmlFor="jeton">Coller un jeton</label>
        <input id="jeton" name="jeton" type="password" required autoComplete="off" spellCheck={false} />
        <p className="aide">Il est chiffré dans un cookie que cette page ne peut pas lire, pour 8 heures au plus.</p>
        <p className="refus" role="alert">{failure}</p>
        <div className="actions">
          <button type="submit" className="principal">Ouvrir la session</button>
          {session && (
            <button type="button" onClick={leave}>Fermer la session</button>
          )}
          <button type="button" onClick={() => dialog.current.close()}>Annuler</button>
        </div>
      </form>
    </dialog>
  );
}
