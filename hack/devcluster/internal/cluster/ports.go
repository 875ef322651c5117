// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
)

// Ports are the loopback ports of a cluster. In a request 0 means any free one.
type Ports struct {
	Etcd              int `json:"etcd"`
	EtcdPeer          int `json:"etcdPeer"`
	APIServer         int `json:"apiserver"`
	ControllerManager int `json:"controllerManager"`
}

// named returns the ports with the flags that set them, in a fixed order.
func (p *Ports) named() []namedPort {
	return []namedPort{
		{"--etcd-port", &p.Etcd},
		{"--etcd-peer-port", &p.EtcdPeer},
		{"--apiserver-port", &p.APIServer},
		{"--controller-manager-port", &p.ControllerManager},
	}
}

type namedPort struct {
	flag string
	port *int
}

// Validate checks the ports asked for: in range, and none asked for twice.
func (p Ports) Validate() error {
	taken := map[int]string{}
	for _, named := range p.named() {
		port := *named.port
		if port < 0 || port > 65535 {
			return fmt.Errorf("%s %d: a port is a number from 1 to 65535, or 0 for any free one", named.flag, port)
		}
		if other, twice := taken[port]; twice && port != 0 {
			return fmt.Errorf("%s and %s both ask for port %d: give them different ports, or 0 for any free one", other, named.flag, port)
		}
		taken[port] = named.flag
	}
	return nil
}

// Free ports are looked for below the range out of which Linux and macOS take
// the local ports of outgoing connections (from 32768 and 49152 on): a port
// found free there can be gone a moment later.
const (
	lowestFree  = 20000
	highestFree = 32000
)

// choosePorts fills in the ports that were left open: the one of the run before
// if it is still free, so that copies of the kubeconfig stay good, else any
// free one. A port that was asked for and is in use is an error.
func choosePorts(want, before Ports) (Ports, error) {
	if err := want.Validate(); err != nil {
		return Ports{}, err
	}
	chosen := want
	// All listeners stay open until the end, so that no port is chosen twice.
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	earlier := before.named()
	// What was asked for goes first: it must not be given to an open one.
	for _, named := range chosen.named() {
		if *named.port == 0 {
			continue
		}
		listener, err := listen(*named.port)
		if err != nil {
			return Ports{}, portTaken(named, err)
		}
		held = append(held, listener)
	}
	for i, named := range chosen.named() {
		if *named.port != 0 {
			continue
		}
		listener, port, err := listenAny(*earlier[i].port)
		if err != nil {
			return Ports{}, fmt.Errorf("%s: %w", named.flag, err)
		}
		held = append(held, listener)
		*named.port = port
	}
	return chosen, nil
}

func portTaken(named namedPort, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s %d is in use by another program: choose another port, or leave the flag out for a free one", named.flag, *named.port)
	}
	return fmt.Errorf("%s %d: %w", named.flag, *named.port, err)
}

func listen(port int) (*net.TCPListener, error) {
	return net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
}

// listenAny listens on the preferred port if there is one and it is free, else
// on any free port; it tells which.
func listenAny(preferred int) (listener net.Listener, port int, err error) {
	if preferred > 0 {
		if listener, err := listen(preferred); err == nil {
			return listener, preferred, nil
		}
	}
	for range 200 {
		port := lowestFree + rand.IntN(highestFree-lowestFree) //nolint:gosec // G404: a guess at a free port, not a secret
		if listener, err := listen(port); err == nil {
			return listener, port, nil
		}
	}
	return nil, 0, fmt.Errorf("no free port on 127.0.0.1 between %d and %d after 200 tries: give one", lowestFree, highestFree)
}
