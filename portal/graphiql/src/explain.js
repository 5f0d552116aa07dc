// Asks the schema's own explanation of a request: what it costs, what is refused, which scopes would open it.
const EXPLAIN = `query Expliquer($requete: String!, $variables: JSON, $operation: String) {
  expliquer(requete: $requete, variables: $variables, operation: $operation) {
    executable
    problemes
    appels
    appelsParFournisseur { fournisseur appels }
    scopesADemander
    scopesSuffisants
    tracabiliteManquante
    champs { chemin jeuDeDonnees lecture scopesNecessaires tracabiliteRequise }
    quotas { appels depassement quota { groupe limite restant } }
    maintenances { fournisseur debut fin }
  }
}`;

export function explanationRequest({ query, variables, operationName }) {
  return {
    operationName: "Expliquer",
    query: EXPLAIN,
    variables: { requete: query, variables, operation: operationName ?? null },
  };
}
