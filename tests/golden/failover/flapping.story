# Answers fail to come for half a minute now and then, as on a path whose delay jumps. Normal failover takes each for the end of its server:
# here, then there. The node names it.
phone 7975
at 206 stop cm1
at 239 go cm1
at 284 stop cm1
at 317 go cm1
at 361 stop cm1
at 394 go cm1
at 439 stop cm1
at 472 go cm1
at 516 stop cm1
at 549 go cm1
at 594 stop cm1
at 627 go cm1
at 672 stop cm1
at 705 go cm1
at 749 stop cm1
at 782 go cm1
until 3600
