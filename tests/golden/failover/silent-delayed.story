# The same with delayed failover: three intervals.
phone 7975 delayed
at 200 stop cm1
at 900 go cm1
until 3600
