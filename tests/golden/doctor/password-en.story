# The password is wrong.
report text en
cdp 20
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
missing CTLSEP001D45AABBCC.tlv
> REGISTER sip:10.0.0.1 SIP/2.0|Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK1|From: <sip:7001@10.0.0.1>;tag=1|To: <sip:7001@10.0.0.1>|Call-ID: 1@10.0.0.16|CSeq: 1 REGISTER|Contact: <sip:7001@10.0.0.16:5060>|Expires: 3600|User-Agent: Cisco-CP7961G/9.4.2
< SIP/2.0 401 Unauthorized|Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK1|From: <sip:7001@10.0.0.1>;tag=1|To: <sip:7001@10.0.0.1>;tag=2|Call-ID: 1@10.0.0.16|CSeq: 1 REGISTER|WWW-Authenticate: Digest realm="r",nonce="n1"
> REGISTER sip:10.0.0.1 SIP/2.0|Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK2|From: <sip:7001@10.0.0.1>;tag=1|To: <sip:7001@10.0.0.1>|Call-ID: 1@10.0.0.16|CSeq: 2 REGISTER|Contact: <sip:7001@10.0.0.16:5060>|Expires: 3600|User-Agent: Cisco-CP7961G/9.4.2|Authorization: Digest username="7001",realm="r",nonce="n",uri="sip:10.0.0.1",response="00000000000000000000000000000000"
< SIP/2.0 401 Unauthorized|Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK2|From: <sip:7001@10.0.0.1>;tag=1|To: <sip:7001@10.0.0.1>;tag=2|Call-ID: 1@10.0.0.16|CSeq: 2 REGISTER|WWW-Authenticate: Digest realm="r",nonce="n2"
> REGISTER sip:10.0.0.1 SIP/2.0|Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK3|From: <sip:7001@10.0.0.1>;tag=1|To: <sip:7001@10.0.0.1>|Call-ID: 1@10.0.0.16|CSeq: 3 REGISTER|Contact: <sip:7001@10.0.0.16:5060>|Expires: 3600|User-Agent: Cisco-CP7961G/9.4.2|Authorization: Digest username="7001",realm="r",nonce="n",uri="sip:10.0.0.1",response="00000000000000000000000000000000"
< SIP/2.0 401 Unauthorized|Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK3|From: <sip:7001@10.0.0.1>;tag=1|To: <sip:7001@10.0.0.1>;tag=2|Call-ID: 1@10.0.0.16|CSeq: 3 REGISTER|WWW-Authenticate: Digest realm="r",nonce="n3"
wait 20
