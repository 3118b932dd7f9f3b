#!/bin/bash
# A container, a server and what lies outside of it, as three network namespaces; prints what the container
# reaches through the server. Standard input: the server's rules for nft.
set -euo pipefail
mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip netns add container
ip netns add outside
ip link add inner type veth peer name eth0 netns container
ip link add outer type veth peer name eth0 netns outside
ip link set inner up
ip link set outer up
ip address add 192.0.2.1/24 dev inner
ip address add 198.51.100.1/24 dev outer
ip -6 address add 2001:db8:1::1/64 dev inner nodad
ip -6 address add 2001:db8:2::1/64 dev outer nodad
in_container() { ip netns exec container "$@"; }
outside() { ip netns exec outside "$@"; }
in_container ip link set eth0 up
in_container ip address add 192.0.2.2/24 dev eth0
in_container ip -6 address add 2001:db8:1::2/64 dev eth0 nodad
in_container ip route add default via 192.0.2.1
in_container ip -6 route add default via 2001:db8:1::1
outside ip link set eth0 up
outside ip link set lo up
outside ip address add 198.51.100.2/24 dev eth0
outside ip -6 address add 2001:db8:2::2/64 dev eth0 nodad
for one in 169.254.42.42/32 169.254.169.254/32; do outside ip address add "$one" dev lo; done
outside ip -6 address add fd00:42::42/128 dev lo nodad
outside ip route add default via 198.51.100.1
outside ip -6 route add default via 2001:db8:2::1
ip route add 169.254.0.0/16 via 198.51.100.2
ip -6 route add fd00:42::42/128 via 2001:db8:2::2
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
CONNECT='
import errno, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family) as one:
    one.settimeout(2)
    sys.exit(one.connect_ex((sys.argv[1], 80)) != errno.ECONNREFUSED)
'
reached() {
    for one in 169.254.42.42 169.254.169.254 fd00:42::42; do
        # a closed port refuses, a dropped packet is not answered
        in_container python3 -c "$CONNECT" "$one" </dev/null && echo "$1 $one"
    done
    return 0
}
sleep 1
reached before
nft -f -
reached after
