// SPDX-License-Identifier: Apache-2.0

// Package connection has what the command line and the Go SDK agree on about
// reaching a cluster: the variables that say where it is, and where a key may go.
package connection

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The environment variables of agents, the same for the command line and the SDKs.
const (
	// EnvURL is the address of the API server.
	EnvURL = "ASCEND_API_URL"
	// EnvKey is a bearer token for it.
	EnvKey = "ASCEND_API_KEY"
	// EnvCAFile is a file with the authority that its certificate is from; left
	// out, those of the system.
	EnvCAFile = "ASCEND_CA_FILE"
	// EnvNamespace is where the agent's actions go; default when left out.
	EnvNamespace = "ASCEND_NAMESPACE"
	// EnvAgentID is the Agent in whose name actions are submitted.
	EnvAgentID = "ASCEND_AGENT_ID"
)

// Sendable refuses an address to which no key may be sent: one that is none, or
// is not encrypted and not on this machine. From says where the address was
// found, and key where the key was, for the message.
func Sendable(address, from, key string) error {
	at, err := url.Parse(address)
	switch {
	case strings.Contains(address, "@"): // never shown, be it an address or not
		return errors.New("no cluster to talk to: " + from + " has a password in it\nThe key goes into " + key + " alone")
	case err != nil || at.Host == "" || (at.Scheme != "https" && at.Scheme != "http"):
		return fmt.Errorf("no cluster to talk to: %s is %q, which is no address such as https://127.0.0.1:6443", from, address)
	case at.Scheme == "https" || at.Hostname() == "localhost":
		return nil
	}
	if ip, err := netip.ParseAddr(at.Hostname()); err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("will not talk to %s: the key in %s would go there unencrypted\nSet %s to an address that begins with https://", shown(address), key, from)
}

// shown is an address with what a terminal would take for more than text escaped.
func shown(address string) string {
	quoted := strconv.QuoteToASCII(address)
	return quoted[1 : len(quoted)-1]
}
