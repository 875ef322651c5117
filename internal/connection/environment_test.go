// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"strings"
	"testing"
)

// A key goes where it is encrypted, or stays on this machine.
func TestSendable(t *testing.T) {
	t.Parallel()
	for address, says := range map[string]string{
		"https://cluster.example.com:6443": "",
		"http://127.0.0.1:8080":            "",
		"http://[::1]:8080":                "",
		"http://localhost:8080":            "",
		"http://cluster.example.com":       "unencrypted",
		"http://localhost.example.com":     "unencrypted",
		"http://10.0.0.1":                  "unencrypted",
		"cluster.example.com":              "no address",
		"ftp://cluster.example.com":        "no address",
		"":                                 "no address",
		"https://user:secret@example.com":  "password",
		"https://secret@%zz":               "password",
	} {
		err := Sendable(address, EnvURL, EnvKey)
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: %v, want %q", address, err, says)
		}
	}
}
