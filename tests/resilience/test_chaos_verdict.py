"""The verdict of `make chaos` on accounts made for it: each thing that must hold is seen not to."""

from dataclasses import replace
from pathlib import Path

from bench.chaos import verdict
from bench.chaos.load import Answer
from bench.chaos.servers import Child, Worker
from bench.chaos.story import Event
from bench.chaos.verdict import Call
from settings import Settings
from tests.tracing.journal_samples import START, entry, intention, origin, outcome

SIREN = "910203041"
OPQIBI = {"sujet": SIREN, "jeu_de_donnees": "opqibi.certification_ingenierie", "fournisseur": "opqibi"}
ORIGIN = origin(requete="r1")
INTENTION = intention(ORIGIN, **OPQIBI)
OUTCOME = outcome(INTENTION, **OPQIBI)
ANSWER = Answer(0.0, 1.0, "un", 200, "r1", data=True, told=((OPQIBI["jeu_de_donnees"], SIREN, "REPONDU"),))
CALL = Call(START.timestamp() + 0.01, "opqibi", frozenset({SIREN}), "/x")


def test_an_answer_without_its_entry() -> None:
    assert verdict.missing_entries([ANSWER], [INTENTION, OUTCOME]) == []
    assert verdict.missing_entries([ANSWER], [INTENTION]) != []
    assert verdict.missing_entries([ANSWER], [entry(origin(requete="r2"), **OPQIBI)]) != [], "of another request"
    assert verdict.missing_entries([ANSWER], [entry(ORIGIN, **{**OPQIBI, "sujet": "384500195"})]) != []
    failed = replace(ANSWER, told=(), failed=(("PROVIDER_TIMEOUT", "opqibi.certification_ingenierie"),))
    assert verdict.missing_entries([failed], [OUTCOME]) == []
    assert verdict.missing_entries([failed], []) != []
    assert verdict.missing_entries([replace(ANSWER, data=False, status=503)], []) == [], "nothing was answered"


def test_a_call_without_an_intention_before_it() -> None:
    assert verdict.unannounced_calls([CALL], [INTENTION]) == []
    assert verdict.unannounced_calls([CALL], [OUTCOME]) != []
    assert verdict.unannounced_calls([replace(CALL, provider="insee")], [INTENTION]) != []
    assert verdict.unannounced_calls([replace(CALL, instant=START.timestamp() - 1)], [INTENTION]) != []


def test_intentions_and_their_outcomes() -> None:
    assert verdict.outcomes_amiss([INTENTION, OUTCOME]) == []
    assert verdict.outcomes_amiss([INTENTION]) != []
    assert verdict.outcomes_amiss([INTENTION, OUTCOME, outcome(INTENTION)]) != []


def test_calls_over_a_limit() -> None:
    """CIBTP allows five a minute."""

    def calls(number: int) -> list[Call]:
        return [Call(1000.0 + second, "cibtp", frozenset(), "/x") for second in range(number)]

    settings = Settings()
    three = [Worker(name, 1, Child(name, [], Path())) for name in ("un", "deux", "trois")]
    assert verdict.over_limits(calls(5), [], settings, three) == ([], {})
    assert verdict.over_limits(calls(6), [], settings, three)[0] != []
    near = [(1010.0, 1020.0)]
    assert verdict.over_limits(calls(8), near, settings, three) == ([], {"cibtp": 3})
    assert verdict.over_limits(calls(9), near, settings, three)[0] != []
    assert verdict.over_limits(calls(8), [(5000.0, 5010.0)], settings, three)[0] != [], "Redis was there"
    gone = [*three[:2], replace(three[2], gone=900.0)]
    assert verdict.over_limits(calls(8), near, settings, gone)[0] != [], "two were there"
    slow = [Call(1000.0 + 12 * number, "cibtp", frozenset(), "/x") for number in range(30)]
    assert verdict.over_limits(slow, [], settings, three) == ([], {})


def test_lost_requests_are_told_by_who_lost_them() -> None:
    def worker(name: str, **what: bool) -> Worker:
        return Worker(name, 1, Child(name, [], Path()), **what)

    workers = [worker("un"), worker("deux", leaving=True), worker("trois", killed=True)]
    cut = [replace(ANSWER, status=0, worker=name, excused=name == "trois") for name in ("un", "deux", "deux", "trois")]
    assert verdict.lost(cut, workers) == (2, 1, 1)
    assert verdict.lost([ANSWER], workers) == (0, 0, 0)


def test_a_failure_told_as_not_found() -> None:
    told = ANSWER.told[0]
    assert verdict.contradictions([ANSWER, replace(ANSWER, told=((*told[:2], "PROVIDER_TIMEOUT"),))]) == []
    assert verdict.contradictions([ANSWER, replace(ANSWER, told=((*told[:2], "INTROUVABLE"),))]) != []


def test_answers_that_nobody_foresaw() -> None:
    assert verdict.unforeseen([ANSWER, replace(ANSWER, status=503, failed=(("JOURNAL_UNAVAILABLE", ""),))]) == []
    assert verdict.unforeseen([replace(ANSWER, status=500)]) != []
    assert verdict.unforeseen([replace(ANSWER, failed=(("INTERNAL_SERVER_ERROR", ""),))]) != []


def test_what_the_service_did_not_recover_from() -> None:
    assert verdict.recovered([Event("x", 0.0, 1.0, 0.5)]) == []
    assert verdict.recovered([Event("x", 0.0, 1.0, None)]) == ["x"]
