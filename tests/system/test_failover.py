"""The first node of a group is killed, stopped, unplugged, deaf, slow; its phones are at the second one soon, and come back."""
import json

import pytest

from conftest import until
from failover import Site


@pytest.fixture
def site(tmp_path):
    made = []

    def begin(**how):
        made.append(Site(tmp_path, keepalive=5, **how))
        made[-1].boot()
        # Standby connections are open ten seconds after registering: fifty phones have two each then.
        until(lambda: len(made[-1].phones.run('ss', '-Hnt', 'state', 'established').stdout.splitlines())
              == 2 * made[-1].count, 30, 0.2)
        return made[-1]
    yield begin
    for s in made:
        s.close()
        for log in s.logs:
            text = log.read_text(errors='replace')
            assert 'AddressSanitizer' not in text and 'runtime error' not in text, text


def test_fifty_phones_are_at_the_second_node_within_a_second_and_come_back(site):
    s = site(count=50)
    s.kill(0)
    rows = s.curve(20, 0.05, lambda r: r[2] == 50)
    assert rows[-1][2] == 50 and rows[-1][0] < 5, rows  # 0.4 s where nothing else runs
    s.start(0)
    until(lambda: s.registered(0) == 50 and s.registered(1) == 0, 90, 0.2)  # 40 s later, with tokens
    assert json.loads(s.ask(0, 'counter', 'list', '--search', 'StationTokensAccepted', '--json').stdout)[0]['value'] == 50


def test_a_node_that_is_stopped_is_left_after_the_learned_time(site):
    s = site()
    s.halt(0)
    rows = s.curve(60, 0.1, lambda r: r[2] == 1)
    assert 6.5 < rows[-1][0] < 25, rows  # the next keepalive within 5 s, and 7 s of patience
    s.resume(0)
    until(lambda: s.registered(0) + s.registered(1) == 1, 30)  # it was taken off the node that slept


@pytest.mark.parametrize('fault', ['unplug', 'deafen'])
def test_a_node_that_is_not_heard_or_does_not_hear_is_left(site, fault):
    s = site()
    getattr(s, fault)(0)
    rows = s.curve(60, 0.1, lambda r: r[2] == 1)
    assert 6.5 < rows[-1][0] < 25, rows


def test_a_slow_node_is_no_reason_to_leave(site):
    s = site()
    s.slow(0, 12)
    assert (s.registered(0), s.registered(1)) == (1, 0)


def test_when_both_were_down_the_one_that_is_back_has_the_phones(site):
    s = site()
    s.kill(1)
    s.kill(0)
    s.start(1)
    until(lambda: s.registered(1) == 1, 60)


def test_without_a_backup_the_phone_waits_for_its_node(site):
    s = site()
    s.kill(1)
    s.kill(0)
    s.start(0)
    until(lambda: s.registered(0) == 1, 60)
