# SIP, an hour: the first node is stopped after five minutes: nobody answers. It goes on after fifteen. The way back is taken
# when it has answered for the connection monitor duration.
phone 8851 sip
at 300 stop cm1
at 900 go cm1
until 3600
