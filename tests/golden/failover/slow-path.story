# Answers take two seconds: normal failover has learned it and does not fail over; then it does.
phone 7960
at 20 delay 1000
at 700 stop cm1
until 800
