# Keepalives are lost on the way to the server: only both ends tell it.
report text en
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
lose up
keepalive
wait 30
keepalive
wait 20
# … while another phone is heard at both ends.
lose none
phone 1
dhcp discover
dhcp offer 150
wait 10
