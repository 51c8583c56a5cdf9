# The server's answers are lost.
report story zh
both
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBCC.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
connect
register
accept
complete
wait 30
keepalive
answer
wait 30
keepalive
answer
wait 30
lose down
keepalive
answer
wait 30
keepalive
answer
wait 20
