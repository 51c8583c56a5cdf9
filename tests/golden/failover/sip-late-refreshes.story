# SIP, more than an hour of the case study: a switch forgets the phone's port after a minute, so that each refresh loses its first segment.
# TCP repeats it, each time twice as late as before. When that is later than the server waits, the phone is unregistered, goes to the
# backup, and comes back two minutes later: from the beginning again.
phone 8851 sip
at 1 ageing 60
until 4500
