package sip

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawUDP reads and writes a UDP socket by raw system calls. They never block, so the scheduler need not be told of them.
// Package net tells it, and that wakes the runtime's monitor thread whenever the process had nothing to do before: under
// the load of an office this costs more CPU time than reading and writing itself.
type rawUDP struct {
	*net.UDPConn
	conn  syscall.RawConn
	inet6 bool

	reading sync.Mutex
	in      datagramIn
	spare   sync.Pool // of *datagramOut
}

// rawSocket is c with cheaper system calls; c itself when they cannot be had.
func rawSocket(c *net.UDPConn) net.PacketConn {
	conn, err := c.SyscallConn()
	if err != nil {
		return c
	}
	r := &rawUDP{UDPConn: c, conn: conn}
	family := unix.AF_UNSPEC
	if err := conn.Control(func(fd uintptr) { family, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN) }); err != nil {
		return c
	}
	switch family {
	case unix.AF_INET6:
		r.inet6 = true
	case unix.AF_INET:
	default:
		return c
	}
	r.in.try = r.in.recv
	r.spare.New = func() any {
		o := &datagramOut{}
		o.try = o.send
		return o
	}
	return r
}

// datagramIn is one attempt to read. It and datagramOut keep their method values, so that a datagram allocates none.
type datagramIn struct {
	try  func(fd uintptr) bool
	b    []byte
	n    int
	from unix.RawSockaddrInet6
	err  error
	last *net.UDPAddr // who sent the datagram before: often the same carrier
}

// ReadFrom implements net.PacketConn. The address may be shared with other datagrams, and must not be changed.
func (r *rawUDP) ReadFrom(b []byte) (int, net.Addr, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	in := &r.in
	in.b, in.n, in.err = b, 0, nil
	err := r.conn.Read(in.try)
	in.b = nil
	switch {
	case err != nil:
		return 0, nil, err
	case in.err != nil:
		return 0, nil, &net.OpError{Op: "read", Net: "udp", Source: r.LocalAddr(), Err: in.err}
	}
	return in.n, in.source(), nil
}

// recv reports whether it is done: false waits until there is something to read.
func (in *datagramIn) recv(fd uintptr) bool {
	if len(in.b) == 0 {
		return true
	}
	for {
		size := uint32(unsafe.Sizeof(in.from))
		n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&in.b[0])), uintptr(len(in.b)), unix.MSG_DONTWAIT,
			uintptr(unsafe.Pointer(&in.from)), uintptr(unsafe.Pointer(&size)))
		switch e {
		case 0:
			in.n = int(n)
			return true
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			in.err = os.NewSyscallError("recvfrom", e)
			return true
		}
	}
}

// source is who sent what was read last.
func (in *datagramIn) source() *net.UDPAddr {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&in.from.Port))[:])
	var ip netip.Addr
	zone := ""
	if in.from.Family == unix.AF_INET6 {
		ip = netip.AddrFrom16(in.from.Addr).Unmap()
		if in.from.Scope_id != 0 {
			zone = strconv.FormatUint(uint64(in.from.Scope_id), 10)
		}
	} else {
		ip = netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&in.from)).Addr)
	}
	if l := in.last; l == nil || l.Port != int(port) || l.Zone != zone || !l.IP.Equal(ip.AsSlice()) {
		in.last = &net.UDPAddr{IP: ip.AsSlice(), Port: int(port), Zone: zone}
	}
	return in.last
}

// datagramOut is one attempt to write.
type datagramOut struct {
	try  func(fd uintptr) bool
	b    []byte
	to   unix.RawSockaddrInet6
	size uintptr
	err  error
}

// WriteTo implements net.PacketConn. It may be called from many goroutines at once.
func (r *rawUDP) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	out := r.spare.Get().(*datagramOut)
	defer r.spare.Put(out)
	if !ok || len(b) == 0 || !out.address(to, r.inet6) {
		return r.UDPConn.WriteTo(b, addr)
	}
	out.b, out.err = b, nil
	err := r.conn.Write(out.try)
	out.b = nil
	switch {
	case err != nil:
		return 0, err
	case out.err != nil:
		return 0, &net.OpError{Op: "write", Net: "udp", Source: r.LocalAddr(), Addr: addr, Err: out.err}
	}
	return len(b), nil
}

// send reports whether it is done: false waits until there is room.
func (o *datagramOut) send(fd uintptr) bool {
	for {
		_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&o.b[0])), uintptr(len(o.b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
			uintptr(unsafe.Pointer(&o.to)), o.size)
		switch e {
		case 0:
			return true
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			o.err = os.NewSyscallError("sendto", e)
			return true
		}
	}
}

// address sets where to; false for what only package net can say: a zone by its name, and addresses of the other family.
func (o *datagramOut) address(to *net.UDPAddr, inet6 bool) bool {
	if to == nil || to.Zone != "" || to.Port < 0 || to.Port > 0xffff {
		return false
	}
	o.to = unix.RawSockaddrInet6{}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&o.to.Port))[:], uint16(to.Port))
	four := to.IP.To4()
	switch {
	case inet6:
		sixteen := to.IP.To16()
		if sixteen == nil {
			return false
		}
		o.to.Family, o.to.Addr, o.size = unix.AF_INET6, [16]byte(sixteen), unix.SizeofSockaddrInet6
	case four != nil:
		o.to.Family, o.size = unix.AF_INET, unix.SizeofSockaddrInet4
		(*unix.RawSockaddrInet4)(unsafe.Pointer(&o.to)).Addr = [4]byte(four)
	default:
		return false
	}
	return true
}
