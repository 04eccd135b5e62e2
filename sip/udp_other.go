//go:build !linux

package sip

import "net"

// rawSocket is c with cheaper system calls; c itself when they cannot be had.
func rawSocket(c *net.UDPConn) net.PacketConn { return c }
