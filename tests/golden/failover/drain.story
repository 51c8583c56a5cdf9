# While the first node is drained it gives no tokens; its phones stay at the second.
phone 7975
at 60 drain cm1
at 61 kill cm1
at 70 go cm1
at 71 drain cm1
at 400 resume cm1
until 600
