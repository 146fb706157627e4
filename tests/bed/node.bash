# The real node of a control plane: containerd, kubelet, kube-proxy and CoreDNS in namespaces of their own. Sourced by `bed`.
#
# A process that only sleeps holds a network, a mount and a process namespace. Whatever a node leaves anywhere, containers,
# mounts, rules and interfaces, is inside of them and goes when that process ends, however it ends. Only control groups are the
# kernel's own; they have a name of their own, by which they are removed.
# shellcheck shell=bash disable=SC2034,SC2154 # variables of `bed`

node_name=node-real
# The host's end and the node's end of the one cable between them; the third number is made up for each control plane.
node_network=10.199
pod_network=10.244.0.0/24
service_network=10.96.0.0/16
# Only CNI plugins that the node uses: ptp, as packets between Pods then pass the node's rules without a bridge's filter.
node_packages=(containerd runc containernetworking-plugins iptables conntrack iproute2)
node_programs=(containerd runc iptables conntrack ip nsenter unshare /usr/lib/cni/ptp /usr/lib/cni/host-local /usr/lib/cni/loopback)
node_components=(containerd coredns kube-proxy kubelet)

# Prints why this machine can have no real node; fails when it can.
lacks_for_node() {
	local program missing=()
	if [[ $(uname -s) != Linux || $EUID != 0 ]]; then
		echo "a real node needs Linux and root"
		return
	fi
	for program in "${node_programs[@]}"; do
		command -v "$program" >/dev/null || missing+=("${program##*/}")
	done
	if ((${#missing[@]})); then
		echo "a real node lacks ${missing[*]}: apt-get install --no-install-recommends ${node_packages[*]}"
		return
	fi
	# Containers often have root without the rights of root.
	if try_namespaces 2>/dev/null; then return 1; fi
	echo "a real node needs namespaces, mounts, forwarding and iptables, which this machine does not allow"
}

# Does in namespaces that end with it what a node does in its own.
try_namespaces() {
	unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc bash -euc '
		mount -t tmpfs tmpfs /mnt
		mkdir /mnt/over /mnt/work
		mount -t overlay overlay -o lowerdir=/run,upperdir=/mnt/over,workdir=/mnt/work /run
		echo 1 >/proc/sys/net/ipv4/ip_forward
		ip link add one type veth peer name other
		iptables -t nat -A POSTROUTING -m comment --comment try -j MASQUERADE
		for group in /sys/fs/cgroup /sys/fs/cgroup/memory; do
			[[ ! -e $group/cgroup.procs ]] || { mkdir "$group/$1" && rmdir "$group/$1"; }
		done' bash "flamectl-bed-try-$$"
}

node_bin_dir() {
	local sum
	sum=$(cd "$here" && cat {coredns,kubernetes}/go.{mod,sum} standin/* | sha256sum)
	echo "$cache/node-${sum:0:12}"
}

build_node_programs() {
	build_module coredns -o "$1/" github.com/coredns/coredns
	build_module standin -o "$1/" .
	build_module kubernetes -o "$1/" k8s.io/kubernetes/cmd/kubelet k8s.io/kubernetes/cmd/kube-proxy
}

# ---- namespaces ----

# Prints the first process of the node, as the host knows it.
node_init() {
	local holder init=''
	read -r holder _ < <(recorded holder) || return 1
	# The kernel ends its list without a line end, which `read` takes for a failure.
	{ read -r init <"/proc/$holder/task/$holder/children"; } 2>/dev/null || [[ -n $init ]] && echo "$init"
}

holds_namespaces() { [[ -n $(node_init) && -e $run/node-is-made ]]; }

# Everything that the node's programs write goes to memory that nobody else sees: /mnt is theirs, and what they insist on
# writing to below /run and /var lies over what the host has there.
start_namespaces() {
	local third
	launch holder unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc bash -euc '
		mount -t tmpfs tmpfs /mnt
		for place in run var/lib var/log; do
			mkdir -p "/mnt/over/$place" "/mnt/work/$place"
			mount -t overlay overlay -o "lowerdir=/$place,upperdir=/mnt/over/$place,workdir=/mnt/work/$place" "/$place"
		done
		ip link set lo up
		echo 1 >/proc/sys/net/ipv4/ip_forward
		: >"$1/node-is-made"
		exec sleep infinity' bash "$run"
	wait_until "namespaces of a node" holds_namespaces
	use_node_network
	lay_cable
	echo "$node_network.$third.2" >"$run/node-address"
	ip address add "$node_network.$third.1/30" dev "bed$third"
	ip link set "bed$third" up
	"${within_network[@]}" ip address add "$node_network.$third.2/30" dev eth0
	"${within_network[@]}" ip link set eth0 up
	# Services have a route because programs of the node send to them before kube-proxy's rules say where to. There is no other:
	# nothing here can answer beyond this machine.
	"${within_network[@]}" ip route add "$service_network" via "$node_network.$third.1"
}

# Lays the cable into the node and makes up its number, $third. Of two nodes that start at once only one can take a cable's name.
lay_cable() {
	local tries why
	for ((tries = 0; tries < 100; tries++)); do
		third=$((RANDOM % 254 + 1))
		why="$node_network.$third.1 belongs to something else"
		ip -4 -o address show | grep -q " $node_network\.$third\." && continue
		why=$(ip link add "bed$third" type veth peer name eth0 netns "$(node_init)" 2>&1) && return
	done
	die "no cable can be laid into the real node: $why"
}

# Lets `launch` start programs in the network of the real node, where there is one.
use_node_network() {
	if [[ -e $run/node-is-made ]]; then within_network=(nsenter "--net=/proc/$(node_init)/ns/net" --); fi
}

# Runs a command as a process of the node. A change of the mount namespace loses the working directory.
in_node() { nsenter --target "$(node_init)" --net --mount --pid -- "$@"; }

# Starts a program of the node.
launch_in_node() {
	local name=$1
	shift
	# What the control plane writes is nobody's business; what a node unpacks belongs to the users of its containers.
	launch "$name" nsenter --target "$(node_init)" --net --mount --pid -- bash -c 'umask 022 && exec "$@"' bash "$@"
}

# Ends a program of the node: what is recorded only waits for it.
end_node_component() {
	local pid child
	if read -r pid _ < <(recorded "$1"); then
		for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill -s KILL "$child" 2>/dev/null || true; done
	fi
	end_component "$1"
}

# ---- its parts ----

write_node_files() {
	local address=$1
	in_node bash -euc 'mkdir -p /mnt/cni /mnt/kubelet && cat >/mnt/kubeconfig' <"$dir/kubeconfig"
	in_node tee /mnt/containerd.toml >/dev/null <<-END
		version = 2
		root = "/mnt/containerd/root"
		state = "/mnt/containerd/state"
		[grpc]
		address = "/mnt/containerd.sock"
		[ttrpc]
		address = "/mnt/containerd.sock.ttrpc"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "bed.test/pause:v1"
		# Some sandboxes lack CAP_SYS_RESOURCE.
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "/mnt/cni"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
	END
	in_node tee /mnt/cni/10-bed.conflist >/dev/null <<-END
		{"cniVersion": "0.4.0", "name": "bed", "plugins": [{"type": "ptp", "ipam": {
		  "type": "host-local", "dataDir": "/mnt/addresses", "ranges": [[{"subnet": "$pod_network"}]],
		  "routes": [{"dst": "0.0.0.0/0"}]}}]}
	END
	in_node tee /mnt/kubelet.yaml >/dev/null <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
		authorization: {mode: AlwaysAllow}
		cgroupDriver: cgroupfs
		cgroupRoot: $(cgroup_name)
		clusterDNS: ["$address"]
		clusterDomain: cluster.local
		containerRuntimeEndpoint: unix:///mnt/containerd.sock
		enforceNodeAllocatable: [pods]
		evictionHard: {memory.available: 1Mi, nodefs.available: 0%, imagefs.available: 0%}
		failCgroupV1: false
		failSwapOn: false
		imageGCHighThresholdPercent: 100
		localStorageCapacityIsolation: false
		nodeStatusUpdateFrequency: 2s
		resolvConf: /mnt/resolv.conf
		serializeImagePulls: false
	END
	in_node tee /mnt/resolv.conf >/dev/null <<<"nameserver $address"
	in_node tee /mnt/Corefile >/dev/null <<-END
		.:53 {
		  bind $address
		  errors
		  kubernetes cluster.local {
		    kubeconfig /mnt/kubeconfig
		  }
		}
	END
}

# Names the control groups of the node; what is recorded of the holder tells one node from another.
cgroup_name() { cgroup_of "$(cut -d ' ' -f 1 "$run/pids/holder")"; }

cgroup_of() { echo "/flamectl-bed-$1"; }

make_cgroups() {
	local hierarchy
	for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
		if [[ -e $hierarchy/cgroup.procs ]]; then mkdir -p "$hierarchy$(cgroup_name)"; fi
	done
	# On cgroup v1 a new group has no processors and no memory of its own to give.
	if [[ -e /sys/fs/cgroup/cpuset/cpuset.cpus ]]; then
		cat /sys/fs/cgroup/cpuset/cpuset.cpus >"/sys/fs/cgroup/cpuset$(cgroup_name)/cpuset.cpus"
		cat /sys/fs/cgroup/cpuset/cpuset.mems >"/sys/fs/cgroup/cpuset$(cgroup_name)/cpuset.mems"
	fi
}

# The processes in them are gone by then, or about to be.
remove_cgroups() {
	local hierarchy group tries
	for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
		group=$hierarchy$1
		[[ -d $group ]] || continue
		for ((tries = 0; tries < 200; tries++)); do
			find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
			[[ -d $group ]] || break
			sleep 0.05
		done
	done
}

start_containerd() { launch_in_node containerd containerd --config /mnt/containerd.toml; }

start_kubelet() {
	launch_in_node kubelet "$node_bin/kubelet" --config /mnt/kubelet.yaml --kubeconfig /mnt/kubeconfig --root-dir /mnt/kubelet \
		--node-ip "$(<"$run/node-address")" --hostname-override "$node_name"
}

has_containerd() { in_node ctr --address /mnt/containerd.sock version >/dev/null 2>&1; }

start_node() {
	local address
	address=$(<"$run/node-address")
	make_cgroups
	write_node_files "$address"
	start_containerd
	wait_until "containerd that answers" has_containerd
	# No registry is asked for what is there.
	"$node_bin/standin" images | in_node ctr --address /mnt/containerd.sock --namespace k8s.io images import - >/dev/null
	start_kubelet
	launch_in_node kube-proxy "$node_bin/kube-proxy" --kubeconfig /mnt/kubeconfig --proxy-mode iptables \
		--hostname-override "$node_name" --cluster-cidr "$pod_network" --bind-address "$address" \
		--conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
	launch_in_node coredns "$node_bin/coredns" -conf /mnt/Corefile
}

end_node() {
	local name group=
	if [[ -e $run/pids/holder ]]; then group=$(cgroup_name); fi
	for name in "${node_components[@]}" holder; do end_node_component "$name"; done
	if [[ -n $group ]]; then remove_cgroups "$group"; fi
}

# ---- verbs ----

need_node() {
	use_running_dir "${1:-}"
	[[ -e $run/node-address ]] || die "the control plane in $dir has no real node (bed start DIR --real-node)"
	lock_dir || die "another one removed $dir"
	build
}

stop_kubelet() {
	need_node "$@"
	end_node_component kubelet
}

start_kubelet_again() {
	need_node "$@"
	build_node
	if ! is_running kubelet; then start_kubelet; fi
}

run_in_node() {
	use_running_dir "${1:-}"
	in_node "${@:2}"
}
