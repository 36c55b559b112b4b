"""The mix of the load, number by number."""

from __future__ import annotations

from collections import Counter

from bluegreen.app.demo.load_plan import LoadPlan, Target, shot
from bluegreen.app.demo.person import name_of

PLAN = LoadPlan((Target("127.0.0.1", 1), Target("127.0.0.1", 2)), people=50_000)
SHOTS = [shot(PLAN, number) for number in range(4_000)]
ASKED = [each.person for each in SHOTS if each.person is not None]
WRITTEN = [each.person for each in ASKED if each.name is not None]


def test_half_of_the_fast_ones_are_about_people_and_one_in_four_of_them_writes() -> None:
    assert 1_900 < len(ASKED) < 2_000
    assert 0.23 < len(WRITTEN) / len(ASKED) < 0.27
    ways = Counter((each.target.port, each.protocol, each.request.method) for each in SHOTS if each.person)
    assert len(ways) == 8
    assert max(ways.values()) < 5 * min(ways.values())


def test_nobody_is_written_twice_while_the_first_write_may_be_under_way() -> None:
    assert len(set(WRITTEN)) == len(WRITTEN)
    assert sum(person > PLAN.people for person in WRITTEN) > 40


def test_what_was_written_is_read_soon_after() -> None:
    place = {each.person: number for number, each in enumerate(ASKED) if each.name is not None}
    reads = [
        number - place[each.person]
        for number, each in enumerate(ASKED)
        if each.name is None and place.get(each.person, number) < number
    ]
    assert len(reads) > 400
    assert sorted(reads)[len(reads) // 2] < 60


def test_each_name_is_of_its_person_and_its_request() -> None:
    for each in SHOTS:
        if each.person is not None and each.person.name is not None:
            assert each.person.name == name_of(each.person.person, each.request.number)


def test_without_people_nobody_is_asked_for() -> None:
    plan = LoadPlan(PLAN.targets)
    assert not any(shot(plan, number).person for number in range(1_000))
