# SIP, an hour: the first node is killed after five minutes and comes back a minute later.
phone 8851 sip
at 300 kill cm1
at 360 go cm1
until 3600
