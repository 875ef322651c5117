// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"strings"
	"testing"
)

func TestPortsValidate(t *testing.T) {
	tests := map[string]struct {
		ports Ports
		want  string // part of the message; "" means good
	}{
		"all open":    {Ports{}, ""},
		"all given":   {Ports{2379, 2380, 6443, 10257}, ""},
		"negative":    {Ports{Etcd: -1}, "--etcd-port -1"},
		"too high":    {Ports{APIServer: 65536}, "--apiserver-port 65536"},
		"given twice": {Ports{EtcdPeer: 7000, ControllerManager: 7000}, "--etcd-peer-port and --controller-manager-port"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.ports.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// occupied is a port of 127.0.0.1 that is in use until the test ends.
func occupied(t *testing.T) int {
	t.Helper()
	listener, port, err := listenAny(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return port
}

func TestChoosePorts(t *testing.T) {
	chosen, err := choosePorts(Ports{}, Ports{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, named := range chosen.named() {
		port := *named.port
		if port < lowestFree || port >= highestFree || seen[port] {
			t.Errorf("%s: %d (all: %+v)", named.flag, port, chosen)
		}
		seen[port] = true
	}
	again, err := choosePorts(Ports{}, chosen)
	if err != nil || again != chosen {
		t.Errorf("second run: %+v, %v; want the ports of the first: %+v", again, err, chosen)
	}
	given, err := choosePorts(Ports{APIServer: chosen.Etcd}, chosen)
	if err != nil || given.APIServer != chosen.Etcd || given.Etcd == chosen.Etcd {
		t.Errorf("a port that is asked for was given away: %+v, %v", given, err)
	}
}

func TestChoosePortsInUse(t *testing.T) {
	taken := occupied(t)
	if chosen, err := choosePorts(Ports{}, Ports{Etcd: taken}); err != nil || chosen.Etcd == taken {
		t.Errorf("the earlier port is in use: %+v, %v", chosen, err)
	}
	_, err := choosePorts(Ports{Etcd: taken}, Ports{})
	if err == nil || !strings.Contains(err.Error(), "--etcd-port") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a given port that is in use: %v", err)
	}
}
