import { explain } from "@ctai_grants/backend/manual/manual";

explain("coordination", { "le-bilan-annuel": ["grant.annual.review"] });
explain("finances", {
    "emettre-un-etat": ["grant.statement"],
    "fin-d-exercice-et-tresorerie": [
        ...["grant.annex.line", "grant.certified.accounts"],
        ...["grant.cash.month", "grant.cash.line", "grant.year.end.line"],
    ],
    "donnees-ouvertes": ["grant.publication", "grant.publication.line"],
    "les-papiers-signes": ["grant.signed.scan"],
});
