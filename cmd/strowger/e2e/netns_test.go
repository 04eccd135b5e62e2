package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// natLab is three hosts in network namespaces: a phone behind a masquerading router, and the phone system outside.
//
//	phone 10.99.1.2 ── 10.99.1.1 router 198.18.0.1 ── 198.18.0.10 pbx
type natLab struct{ phone, router, pbx string }

func newNATLab(t *testing.T) natLab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	p := fmt.Sprintf("st%d", os.Getpid()%10000)
	lab := natLab{p + "ph", p + "rt", p + "pb"}
	t.Cleanup(func() {
		for _, ns := range []string{lab.phone, lab.router, lab.pbx} {
			exec.Command("ip", "netns", "del", ns).Run()
		}
	})
	for _, ns := range []string{lab.phone, lab.router, lab.pbx} {
		sh(t, "ip netns add "+ns)
		sh(t, "ip -n "+ns+" link set lo up")
	}
	sh(t, fmt.Sprintf("ip link add %sa netns %s type veth peer name %sb netns %s", p, lab.phone, p, lab.router))
	sh(t, fmt.Sprintf("ip link add %sc netns %s type veth peer name %sd netns %s", p, lab.router, p, lab.pbx))
	for _, line := range []string{
		lab.phone + " addr add 10.99.1.2/24 dev " + p + "a", lab.phone + " link set " + p + "a up", lab.phone + " route add default via 10.99.1.1",
		lab.router + " addr add 10.99.1.1/24 dev " + p + "b", lab.router + " link set " + p + "b up",
		lab.router + " addr add 198.18.0.1/24 dev " + p + "c", lab.router + " link set " + p + "c up",
		lab.pbx + " addr add 198.18.0.10/24 dev " + p + "d", lab.pbx + " link set " + p + "d up",
	} {
		sh(t, "ip -n "+line)
	}
	sh(t, "ip netns exec "+lab.router+" sysctl -qw net.ipv4.ip_forward=1")
	rules := fmt.Sprintf(`table ip nat {
  chain post {
    type nat hook postrouting priority 100;
    oifname "%[1]sc" masquerade fully-random;
  }
}
table ip flt {
  chain forw {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept;
    iifname "%[1]sb" accept;
  }
}
`, p)
	nft := exec.Command("ip", "netns", "exec", lab.router, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if out, err := nft.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	return lab
}

func sh(t *testing.T, line string) {
	t.Helper()
	f := strings.Fields(line)
	if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// inNetns runs f inside a network namespace. The thread is brought back, not thrown away: parties started from it would be
// killed with it (Pdeathsig).
func inNetns(ns string, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(home)
	there, err := unix.Open("/run/netns/"+ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(there)
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = f()
	if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
		panic(back) // nothing that follows could be trusted
	}
	return err
}

// dialIn opens a TCP connection inside a network namespace.
func dialIn(ns, addr string) (conn net.Conn, err error) {
	err = inNetns(ns, func() error {
		conn, err = net.Dial("tcp", addr)
		return err
	})
	return conn, err
}
