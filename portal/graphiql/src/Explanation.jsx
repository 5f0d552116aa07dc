// What the service says of the current request: first what it costs and what lacks, then field by field.
import { Fragment } from "react";

const READINGS = {
  ENTIERE: { words: "lu en entier", className: "oui" },
  PUBLIQUE: { words: "lu, partie publique seulement", className: "partiel" },
  DIFFUSIBLE: { words: "lu, entités diffusibles seulement", className: "partiel" },
  REFUSEE: { words: "refusé", className: "non" },
};
const instant = new Intl.DateTimeFormat("fr-FR", { dateStyle: "long", timeStyle: "short" });
const counted = (number, one, many) => `${number.toLocaleString("fr-FR")} ${number > 1 ? many : one}`;

function Scopes({ names }) {
  return <span className="scopes">{names.map((name) => <Fragment key={name}><code>{name}</code> </Fragment>)}</span>;
}

function Section({ title, children }) {
  return <section><h3>{title}</h3>{children}</section>;
}

function Verdict({ executable, problemes }) {
  if (executable) return <p className="oui">Cette requête peut être exécutée.</p>;
  return (
    <>
      <p className="non">Cette requête serait refusée.</p>
      <ul>{problemes.map((text) => <li key={text}>{text}</li>)}</ul>
    </>
  );
}

function Cost({ appels, appelsParFournisseur }) {
  return (
    <Section title="Coût">
      <p>{appels === 0 ? "Aucun appel à un fournisseur." : `${counted(appels, "appel", "appels")} à des fournisseurs, au plus.`}</p>
      {appelsParFournisseur.length > 0 && (
        <table>
          <tbody>
            {appelsParFournisseur.map((line) => (
              <tr key={line.fournisseur}><th scope="row">{line.fournisseur}</th><td>{counted(line.appels, "appel", "appels")}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Rights({ champs, scopesADemander, scopesSuffisants, tracabiliteManquante }) {
  const refused = champs.filter((field) => field.lecture === "REFUSEE").length;
  return (
    <Section title="Droits">
      {refused === 0
        ? <p>Votre jeton ouvre tous les champs protégés de la requête.</p>
        : <p className="non">{counted(refused, "champ refusé", "champs refusés")} à votre jeton.</p>}
      {scopesADemander.length > 0 && <p>Scopes à demander : <Scopes names={scopesADemander} /></p>}
      {scopesSuffisants.length > 0 && <p>Scopes suffisants pour cette requête : <Scopes names={scopesSuffisants} /></p>}
      {tracabiliteManquante.length > 0 && (
        <p className="non">À déclarer dans les en-têtes : {tracabiliteManquante.join(", ")}.</p>
      )}
    </Section>
  );
}

function Field({ chemin, jeuDeDonnees, lecture, scopesNecessaires, tracabiliteRequise }) {
  const reading = READINGS[lecture];
  return (
    <li>
      <strong>{chemin}</strong> <span className={reading.className}>{reading.words}</span>
      {jeuDeDonnees && <div>Jeu de données : {jeuDeDonnees}</div>}
      <div>
        {scopesNecessaires.length === 0 ? "Ouvert à tout jeton valable." : <>Scopes, un seul suffit : <Scopes names={scopesNecessaires} /></>}
      </div>
      {tracabiliteRequise && <div>Contexte et objet exigés.</div>}
    </li>
  );
}

function Fields({ champs }) {
  // What is refused is what one opened the panel for.
  const sorted = [...champs].sort((left, right) => (right.lecture === "REFUSEE") - (left.lecture === "REFUSEE"));
  return (
    <Section title="Champs protégés">
      {sorted.length === 0 ? <p>Aucun.</p> : <ul>{sorted.map((field) => <Field key={field.chemin} {...field} />)}</ul>}
    </Section>
  );
}

function Quotas({ quotas }) {
  return (
    <Section title="Quotas">
      <ul>
        {quotas.map(({ quota, appels, depassement }) => (
          <li key={quota.groupe} className={depassement ? "non" : undefined}>
            <strong>{quota.groupe}</strong> : {counted(appels, "appel", "appels")} au plus ;
            il en reste {quota.restant.toLocaleString("fr-FR")} sur {quota.limite.toLocaleString("fr-FR")} cette minute
            {depassement ? ", trop peu pour toute la requête." : "."}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Maintenances({ maintenances }) {
  return (
    <Section title="Maintenances à venir">
      <ul>
        {maintenances.map(({ fournisseur, debut, fin }) => (
          <li key={`${fournisseur} ${debut}`}>
            <strong>{fournisseur}</strong> : {instant.formatRange(new Date(debut), new Date(fin))}
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function Explanation({ value }) {
  return (
    <div className="explication">
      <Verdict {...value} />
      {value.executable && (
        <>
          <Cost {...value} />
          <Rights {...value} />
          <Fields {...value} />
          {value.quotas.length > 0 && <Quotas {...value} />}
          {value.maintenances.length > 0 && <Maintenances {...value} />}
        </>
      )}
    </div>
  );
}
