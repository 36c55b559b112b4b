"""The database in the service file: read, described, compared; no secret shown; each mistake at its place."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bluegreen.admin.service_file import BadServiceFile, Problem, read_service_file, schema
from bluegreen.model.catalogue import Catalogue, ChangeKind, Difference
from bluegreen.model.database import Database
from bluegreen.model.description import describe
from bluegreen.model.difference import difference
from bluegreen.model.secret import Secret
from bluegreen.model.service import Service

EVERYTHING = Path(__file__).parent / "files" / "database.yaml"

HEAD = """\
gateways:
  edge: {listen: 10000}
services:
  shop:
    gateways: [edge]
    domains: [shop.example.com]
"""
URL = "postgresql://owner:hunter2@db/shop"
PATH = "/srv/{version}"
AT = "services.shop.database"


def read(**values: object) -> Catalogue:
    entry = json.dumps({"url": URL, "migrations": PATH, **values})
    return read_service_file(f"{HEAD}    database: {entry}\n")


def database(**values: object) -> Database:
    found = read(**values).services["shop"].database
    assert found is not None
    return found


def problems(**values: object) -> list[Problem]:
    with pytest.raises(BadServiceFile) as caught:
        read(**values)
    return list(caught.value.problems)


def changes(old: dict[str, object], new: dict[str, object]) -> list[Difference]:
    return difference(read(**old), read(**new))


def test_every_key_is_read() -> None:
    services = read_service_file(EVERYTHING.read_text()).services
    assert services["shop"].database == Database(
        Secret("postgresql://owner:hunter2@db.internal:5432/shop?sslmode=require"),
        "releases/{service}/{version}/migrations",
        lock_timeout=0.5,
        statement_timeout=3600.0,
        patience=600.0,
        batch_time=0.05,
        backfill_load=80,
    )
    assert services["plain"].database is None


def test_what_is_left_out_has_the_default_of_the_model() -> None:
    assert database() == Database(Secret(URL), PATH)


def test_the_bounds_can_be_reached() -> None:
    least = database(lock_timeout="10ms", batch_time="10ms", statement_timeout="11ms", backfill_load=1)
    assert (least.lock_timeout, least.statement_timeout, least.backfill_load) == (0.01, 0.011, 1)
    most = database(lock_timeout="1m", statement_timeout="1d", patience="1d", batch_time="10s")
    assert (most.lock_timeout, most.batch_time, most.patience) == (60, 10, 86_400)
    assert database(backfill_load="100%").backfill_load == 100


def test_only_host_and_name_are_shown() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    bare = Catalogue(catalogue.gateways, {"shop": replace(catalogue.services["shop"], database=None)})
    lines = difference(bare, catalogue)
    (added,) = [line for line in lines if line.path == AT]
    assert added.after.startswith("{url: (secret) for db.internal:5432/shop, migrations: releases/{service}/")
    for shown in (repr(catalogue), str(catalogue), *(line.after for line in lines)):
        assert "hunter2" not in shown
        assert "owner" not in shown
    described = describe(catalogue)["services"]
    assert str(described["blog"]["database"]["url"]) == "(secret) for /run/postgresql/blog"
    assert "hunter2" not in str(described)


def test_another_password_is_another_secret() -> None:
    assert changes({}, {"url": "postgresql://owner:hunter3@db/shop"}) == [
        Difference(ChangeKind.CHANGED, f"{AT}.url", "(secret) for db/shop", "(another secret)")
    ]
    assert changes({}, {"url": "postgresql://owner:hunter2@other/shop"}) == [
        Difference(ChangeKind.CHANGED, f"{AT}.url", "(secret) for db/shop", "(secret) for other/shop")
    ]
    assert changes({}, {"backfill_load": 10}) == [
        Difference(ChangeKind.CHANGED, f"{AT}.backfill_load", "50%", "10%")
    ]
    assert changes({}, {}) == []


def test_what_is_described_reads_back_the_same_but_for_the_secret() -> None:
    catalogue = read_service_file(EVERYTHING.read_text())
    described = describe(catalogue)
    for name, service in catalogue.services.items():
        if service.database is not None:
            described["services"][name]["database"]["url"] = service.database.url.value
    assert read_service_file(yaml.safe_dump(described)) == catalogue


def test_a_text_that_cannot_be_told_apart_is_shown_in_no_part() -> None:
    odd = Service("shop", (), (), database=Database(Secret("hunter2"), PATH))
    assert "hunter2" not in str(
        difference(Catalogue(services={"shop": Service("shop", (), ())}), Catalogue(services={"shop": odd}))
    )


@pytest.mark.parametrize(
    ("values", "at", "words"),
    [
        ({"url": "hunter2"}, "url", "host=HOST dbname=DATABASE"),
        ({"url": 5}, "url", "must be a text"),
        ({"url": "(secret) for db/shop"}, "url", "write the value itself"),
        ({"url": "(secret)"}, "url", "write the value itself"),
        ({"url": "mysql://owner:hunter2@db/shop"}, "url", "no URL of a PostgreSQL database"),
        ({"url": "postgresql://owner:hunt/er2@db/shop"}, "url", "%2F for /"),
        ({"url": "postgresql://owner:hunt@er2@db/shop"}, "url", "%40 for @"),
        ({"url": "postgresql://owner:hunter2@db:port/shop"}, "url", "no URL"),
        ({"url": "postgresql://owner:hunter2@db"}, "url", "names no database"),
        ({"url": "host=db password=hunter2"}, "url", "names no database"),
        ({"url": "host=db dbname=shop password=hunt'er2"}, "url", "no connection string"),
        ({"url": f"host=db dbname=shop password={'hunter2' * 600}"}, "url", "at most 4000"),
        ({"url": "host=db dbname=shop\npassword=hunter2"}, "url", "printable"),
        ({"migrations": "/srv/shop"}, "migrations", "must hold {version}"),
        ({"migrations": "/srv/{version}/{revision}"}, "migrations", "known: {service}, {version}"),
        ({"migrations": ""}, "migrations", "no path"),
        ({"lock_timeout": 0}, "lock_timeout", "at least 10ms"),
        ({"lock_timeout": "61s", "statement_timeout": "2m"}, "lock_timeout", "longer than 1m"),
        ({"statement_timeout": "2d"}, "statement_timeout", "longer than 1d"),
        ({"patience": 0}, "patience", "longer than 0"),
        ({"patience": "2d"}, "patience", "longer than 1d"),
        ({"batch_time": "11s"}, "batch_time", "longer than 10s"),
        ({"backfill_load": 0}, "backfill_load", "at least 1%"),
        ({"backfill_load": "101%"}, "backfill_load", "0% to 100%"),
        ({"lock_timeout": "30s"}, "", "lock_timeout must be shorter than statement_timeout"),
        ({"batch_time": "5s", "statement_timeout": "5s"}, "", "batch_time must be shorter"),
        ({"lock_timout": 1}, "lock_timout", "did you mean lock_timeout?"),
    ],
    ids=str,
)
def test_a_mistake_is_told_at_its_place_and_no_secret_with_it(
    values: dict[str, object], at: str, words: str
) -> None:
    (problem,) = problems(**values)
    assert problem.path == ".".join(filter(None, [AT, at]))
    assert words in problem.message
    assert "hunt" not in problem.message


def test_both_must_be_there() -> None:
    with pytest.raises(BadServiceFile) as caught:
        read_service_file(f"{HEAD}    database: {{}}\n")
    assert [(each.path, each.message) for each in caught.value.problems] == [
        (f"{AT}.migrations", "is missing."),
        (f"{AT}.url", "is missing."),
    ]


def test_the_schema_takes_it_and_refuses_a_mistake(tmp_path: Path) -> None:
    schema_file, wrong = tmp_path / "schema.json", tmp_path / "wrong.yaml"
    schema_file.write_text(json.dumps(schema()))
    wrong.write_text(EVERYTHING.read_text().replace("backfill_load: 80%", "backfill_load: much"))
    check = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema_file)]
    taken = subprocess.run([*check, str(EVERYTHING)], capture_output=True, text=True, check=False)
    assert taken.returncode == 0, taken.stdout
    refused = subprocess.run([*check, str(wrong)], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "much" in refused.stdout
