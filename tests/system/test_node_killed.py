"""kill -9 of a node with hundreds of phones of both protocols: the other node has them all, and they come back."""
import json
import subprocess

from conftest import until
from node import DIALTONE
from test_cluster import NAMES, Cluster

COUNT = 200  # of each protocol


def fleet(cluster, protocol, model, first):
    return subprocess.Popen([DIALTONE, 'fleet', '--protocol', protocol, '--model', model, '--count', str(COUNT), '--first-mac', first,
                             '--server', '127.0.0.1', '--file-port', str(cluster.tftp), '--http-port', str(cluster.http),
                             '--sccp-port', str(cluster.port), '--sip-port', str(cluster.sip), '--clock-rate', '10',
                             '--source', '127.64.0.1' if protocol == 'sip' else '127.65.0.1', '--duration', '300', '--json'],
                            stdout=subprocess.PIPE, text=True)


def test_hundreds_of_phones_survive_the_death_of_their_node_and_come_back(tmp_path):
    cluster = Cluster(tmp_path)
    rows = ['name,model,protocol,lines']
    rows += [f'SEP{0x001122000001 + n:012X},7975,sccp,{20000 + n}' for n in range(COUNT)]
    rows += [f'SEP{0x001122010001 + n:012X},8841,sip,{30000 + n}' for n in range(COUNT)]
    (tmp_path / 'phones.csv').write_text('\n'.join(rows) + '\n')
    cluster.both('import', tmp_path / 'phones.csv')
    for name in NAMES:
        cluster.both('callmanager', 'set', name, f'sip_port={cluster.sip}')
    cluster.up()
    fleets = [fleet(cluster, 'sccp', '7975', '001122000001'), fleet(cluster, 'sip', '8841', '001122010001')]
    try:
        until(lambda: cluster.registered(0) == 2 * COUNT)
        assert cluster.registered(1) == 0
        cluster.nodes[0].kill()
        until(lambda: cluster.registered(1) == 2 * COUNT)
        cluster.start(0)
        until(lambda: cluster.registered(0) == 2 * COUNT and cluster.registered(1) == 0, seconds=120)
        for process in fleets:
            process.send_signal(2)
        for process in fleets:
            report = json.loads(process.communicate(timeout=120)[0])
            assert report['registered'] == COUNT and report['losses'] == COUNT and not report['refusals'], report
        for i in 0, 1:
            assert 'DuplicateDevice' not in cluster.ask(i, 'event', 'list', '--limit', '0')
    finally:
        for process in fleets:
            process.kill()
        cluster.close()
