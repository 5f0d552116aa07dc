// What every client asks: `node <client>.mjs URL TOKEN SIREN [without scopes]`, one JSON line on stdout.
export const [url, token, siren] = process.argv.slice(2);
export const headers = { Authorization: `Bearer ${token}`, "X-Contexte": "Essai", "X-Objet": "Clients" };
export const text = /* GraphQL */ `
  query Client($siren: Siren!, $first: Int!) {
    entreprise(siren: $siren) {
      id
      siren
      sirene { etatAdministratif personneMoraleAttributs { raisonSociale } }
      etablissements(first: $first) { totalCount edges { cursor node { id siret } } pageInfo { hasNextPage endCursor } }
      rcs { dateImmatriculation capital { montant } }
    }
  }
`;
export const variables = { siren, first: 2 };
export const say = (data, errors) =>
  console.log(JSON.stringify({ data, codes: (errors ?? []).map((error) => error.extensions?.code ?? error.message) }));
