"""The laboratory's scenarios end with a good verdict, leave captures that tshark reads, and clean up."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from conftest import DIALTONE, judge, run
from test_lab_failover import SCENARIOS as ELSEWHERE

SCENARIOS = run(DIALTONE, 'lab', 'list').stdout.split('\n') if os.path.exists(DIALTONE) else []
# Phones that were refused come again after 22 to 40 s: their clocks may run faster.
QUICK = {'unknown-phone': ['--quick'], 'wrong-type': ['--quick']}


def namespaces():
    return {line.split()[0] for line in run('ip', 'netns', 'list').stdout.splitlines()}


@pytest.mark.parametrize('scenario', [line.split()[0] for line in SCENARIOS if line and line.split()[0] not in ELSEWHERE])
def test_a_scenario_ends_well(scenario, tmp_path):
    folder = tmp_path / 'lab'
    process = subprocess.run([DIALTONE, 'lab', 'run', scenario, *QUICK.get(scenario, []), '--folder', folder],
                             capture_output=True, text=True, timeout=600, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert 'verdict: good' in process.stdout
    captures = sorted(folder.glob('*.pcap'))
    assert len(captures) >= 2
    for path in captures:
        assert judge(path) > 10


def mine(pid):
    return {n for n in namespaces() if n.startswith(f'dl{pid}-')}


def interrupt(words, number, **more):
    """Starts a laboratory, interrupts it once its first phone has power; its process, ended."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    for line in process.stdout:
        if 'has power' in line:
            break
    assert mine(process.pid)
    process.send_signal(number)
    process.communicate(timeout=120)
    return process


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_namespace(number, tmp_path):
    process = interrupt([DIALTONE, 'lab', 'run', 'plain-boot', '--folder', tmp_path / 'lab'], number)
    assert process.returncode == 130 and not mine(process.pid)


def test_a_namespace_that_is_just_being_made_is_removed_too(tmp_path):
    """The second phone's `ip netns add` is slow, so the interruption comes while it works."""
    slow = tmp_path / 'ip'
    slow.write_text(f'#!/bin/sh\ncase "$*" in "netns add "*-phone2) sleep 1;; esac\nexec {shutil.which("ip")} "$@"\n')
    slow.chmod(0o755)
    process = interrupt([DIALTONE, 'lab', 'run', 'plain-boot', '--folder', tmp_path / 'lab'],
                        signal.SIGTERM, env=dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}'))
    time.sleep(1.5)  # what was left to work in the background would have made it by now
    assert process.returncode == 130 and not mine(process.pid)


def test_up_and_down(tmp_path):
    name = f'u{os.getpid()}'
    try:
        run(DIALTONE, 'lab', 'up', '--name', name, '--phones', 2)
        assert {f'{name}-switch', f'{name}-server', f'{name}-phone1', f'{name}-phone2'} <= namespaces()
    finally:
        run(DIALTONE, 'lab', 'down', '--name', name)
    assert not any(n.startswith(name + '-') for n in namespaces())


def test_the_demo_registers_eight_phones(tmp_path):
    process = subprocess.run([DIALTONE, 'demo', '--once', '--duration', '180'], capture_output=True, text=True, timeout=400,
                             check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert '8 of 8 registered' in process.stdout
