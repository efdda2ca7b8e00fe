"""`python -m bot fees` and `python -m ingest check`: what scripts and maintainers call."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from knowledge.settings import ROOT


def run(module: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )


def test_a_sale_as_json(clean_environment: dict[str, str]) -> None:
    arguments = ["fees", "--platform", "etsy", "--price", "40", "--currency", "USD", "--country", "PE", "--json"]
    done = run("bot", *arguments, environment=clean_environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["net_low"], found["net_high"], found["at_most"]) == ("34.30", "34.30", False)
    assert (found["store"], found["eligible"]) == ("etsy", "yes")
    assert {line["id"]: line["low"] for line in found["lines"]} == {
        "listing-fee": "0.20",
        "transaction-fee": "2.60",
        "payment-processing": "2.90",
    }
    assert all(line["source"].startswith("https://") and line["as_of"] for line in found["lines"])
    assert "offsite-ads" in [cost["id"] for cost in found["not_included"]]


def test_optional_fees_a_wanted_sum_and_a_comparison(clean_environment: dict[str, str]) -> None:
    etsy = ["fees", "--platform", "etsy", "--currency", "USD", "--country", "PE", "--json", "--price"]
    advertised = json.loads(run("bot", *etsy, "40", "--with", "offsite-ads", environment=clean_environment).stdout)
    assert advertised["net_low"] == "28.30"
    wanted = json.loads(run("bot", *etsy, "34.30", "--keep", environment=clean_environment).stdout)
    assert wanted["price"] == "40.00"
    compared = [
        "fees",
        "--price",
        "40",
        "--currency",
        "USD",
        "--country",
        "MA",
        "--category",
        "clothing",
        "--lang",
        "fr",
    ]
    done = run("bot", *compared, environment=clean_environment)
    assert done.returncode == 0
    assert "Etsy" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--platform", "etsi", "--price", "4", "--currency", "USD"], "--platform etsi: not known; known: alibaba"),
        (["--platform", "zando", "--price", "4", "--currency", "ZAR"], "has closed"),
        (["--platform", "etsy", "--price", "4", "--currency", "XTS"], "--currency XTS"),
        (["--platform", "etsy", "--price", "-5", "--currency", "USD"], "--price -5"),
        (["--platform", "fiverr", "--price", "5", "--currency", "VND"], "less than the smallest unit of USD"),
        (["--platform", "etsy", "--price", "a lot", "--currency", "USD"], "--price a lot: write a number"),
        (["--platform", "etsy", "--price", "nan", "--currency", "USD"], "--price nan"),
        (["--platform", "etsy", "--price", "4", "--currency", "USD", "--category", "dreams"], "--category dreams"),
        (["--platform", "amazon-us", "--price", "4", "--currency", "USD", "--plan", "gold"], "--plan gold"),
        (["--platform", "etsy", "--price", "4", "--currency", "USD", "--country", "Kenya"], "--country Kenya"),
        (["--platform", "etsy", "--price", "4", "--currency", "USD", "--with", "luck"], "--with luck"),
        (["--platform", "etsy", "--price", "4", "--currency", "USD", "--lang", "xx"], "--lang xx"),
        (["--price", "4", "--currency", "USD"], "--country: is needed"),
    ],
)
def test_a_wrong_argument_ends_with_two_and_one_line(
    clean_environment: dict[str, str], arguments: list[str], expected: str
) -> None:
    done = run("bot", "fees", *arguments, environment=clean_environment)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_check_counts_and_lists_what_needs_a_look(clean_environment: dict[str, str]) -> None:
    done = run("ingest", "check", "--facts", environment=clean_environment)
    assert done.returncode == 0, done.stderr
    assert "payments/payoneer.yaml: " in done.stdout
    assert "unverified" in done.stdout.splitlines()[-1]
