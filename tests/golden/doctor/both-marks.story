# A router on the way takes the marks off.
report text fr
both
unmark
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
keepalive
answer
wait 5
