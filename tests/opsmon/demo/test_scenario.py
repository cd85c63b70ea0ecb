"""What colleagues do: the same for the same dice, of every kind, and nothing that they may not."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from opsmon.demo import demo, scenario
from opsmon.demo.scenario import Act
from store.db.engine import Database
from store.people import access
from tasks.dispatch import Dispatcher
from tasks.sdk.registry import load_registry
from tests.conftest import KINDS

ROUND = 10 + scenario.WAVE


def acts(number: int, seed: int = 7) -> list[Act]:
    return list(islice(scenario.acts(random.Random(seed)), number))


def test_the_same_dice_make_the_same_acts() -> None:
    assert acts(100) == acts(100)
    assert acts(100) != acts(100, seed=8)


def test_each_round_has_every_kind_once_and_one_wave() -> None:
    for start in range(0, 5 * ROUND, ROUND):
        round_ = acts(5 * ROUND)[start : start + ROUND]
        types = Counter(act.type for act in round_)
        assert types.pop(scenario.PROBE) == 4 + scenario.WAVE
        assert types == {
            "inventory.sync": 2,
            "policy.sync": 1,
            "directory_groups.sync": 1,
            "backup_set.create": 1,
            "drift.generate": 1,
        }
        assert len([act for act in round_ if act.pause == scenario.WAVE_PAUSE]) == scenario.WAVE - 1


def test_one_can_follow() -> None:
    shortest, longest = scenario.PAUSES
    calm = [act.pause for act in acts(200) if act.pause != scenario.WAVE_PAUSE]
    assert all(shortest <= pause <= longest for pause in calm)


def test_probes_fail_wholly_in_part_and_not_at_all() -> None:
    probes = [act.parameters for act in acts(ROUND) if act.type == scenario.PROBE]
    failing = [one for one in probes if one.get("error")]
    assert failing
    assert all(one["skip_items"] == one["items"] for one in failing)
    assert any(0 < one.get("fail_items", 0) < one["items"] for one in probes)
    assert any(not {"error", "fail_items", "skip_items"} & one.keys() for one in probes)


class Sink:
    def send(self, run_id: int) -> None:
        """Take the message."""


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
def test_colleagues_may_do_all_of_it(db: Database) -> None:
    cast = demo.people_of(db, "dana")
    dispatcher = Dispatcher(db, Sink(), load_registry())
    people = {"operator": cast.operator, "manager": cast.manager}
    for act in acts(3 * ROUND):
        run = dispatcher.start(people[act.by], act.tenant, act.type, act.parameters).run
        assert access.visible_run(db, cast.me, run.id).type == act.type
