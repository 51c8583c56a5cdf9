# The first node is stopped: the system still acknowledges bytes, nobody answers. Normal failover.
phone 7975
at 200 stop cm1
at 900 go cm1
until 3600
