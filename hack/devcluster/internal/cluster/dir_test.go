// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/x509"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"
)

// newDir is an empty folder of a cluster.
func newDir(t *testing.T) Dir {
	t.Helper()
	dir, err := NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.make(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSecretsAreForTheirOwnerOnly(t *testing.T) {
	dir := newDir(t)
	if err := dir.makePKI(time.Now()); err != nil {
		t.Fatal(err)
	}
	// A kubeconfig that others could read before must not stay so.
	if err := os.WriteFile(dir.Kubeconfig(), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := dir.writeKubeconfig(dir.Kubeconfig(), "https://127.0.0.1:6443", "admin"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		dir.Kubeconfig():       0o600,
		dir.pki("ca.key"):      0o600,
		dir.pki("admin.key"):   0o600,
		dir.pki("sa.key"):      0o600,
		dir.join("pki"):        0o700,
		dir.join("etcd"):       0o700,
		dir.pki("ca.crt"):      0o644,
		dir.pki("etcd-ca.crt"): 0o644,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
	text := read(t, dir.Kubeconfig())
	if !strings.Contains(text, "server: https://127.0.0.1:6443\n") || strings.Contains(text, "old") {
		t.Errorf("kubeconfig:\n%s", text)
	}
}

func TestPKI(t *testing.T) {
	dir := newDir(t)
	now := time.Now()
	if err := dir.makePKI(now); err != nil {
		t.Fatal(err)
	}
	trusts := func(ca, leaf string, usage x509.ExtKeyUsage, host string) error {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(read(t, dir.pki(ca+".crt"))))
		cert, err := parseCertificate([]byte(read(t, dir.pki(leaf+".crt"))))
		if err != nil {
			t.Fatal(err)
		}
		_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}, CurrentTime: now})
		return err
	}
	const client, server = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	tests := map[string]struct {
		ca, leaf string
		usage    x509.ExtKeyUsage
		host     string
		good     bool
	}{
		"API server by address":                {"ca", "apiserver", server, "127.0.0.1", true},
		"API server by name":                   {"ca", "apiserver", server, "kubernetes.default.svc", true},
		"API server by another name":           {"ca", "apiserver", server, "example.com", false},
		"administrator":                        {"ca", "admin", client, "", true},
		"administrator is no server":           {"ca", "admin", server, "", false},
		"etcd as server":                       {"etcd-ca", "etcd", server, "127.0.0.1", true},
		"API server at etcd":                   {"etcd-ca", "etcd-client", client, "", true},
		"administrator has no way into etcd":   {"etcd-ca", "admin", client, "", false},
		"administrator is no front proxy":      {"front-proxy-ca", "admin", client, "", false},
		"etcd's client is nobody at the API":   {"ca", "etcd-client", client, "", false},
		"controller manager is client, server": {"ca", "controller-manager", client, "127.0.0.1", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := trusts(tt.ca, tt.leaf, tt.usage, tt.host); (err == nil) != tt.good {
				t.Errorf("%s by %s: %v", tt.leaf, tt.ca, err)
			}
		})
	}
}

func TestSecondStartKeepsAuthoritiesAndTokens(t *testing.T) {
	dir := newDir(t)
	kept := []string{"ca.crt", "ca.key", "etcd-ca.crt", "front-proxy-ca.crt", "sa.key"}
	all := func() (texts []string) {
		if err := dir.makePKI(time.Now()); err != nil {
			t.Fatal(err)
		}
		for _, name := range append(kept, "admin.crt") {
			texts = append(texts, read(t, dir.pki(name)))
		}
		return texts
	}
	before, after := all(), all()
	for i, name := range kept {
		if before[i] != after[i] {
			t.Errorf("%s was made anew", name)
		}
	}
	if last := len(kept); before[last] == after[last] {
		t.Error("admin.crt was not made anew, so it would end some day")
	}
	if err := dir.reset(); err != nil {
		t.Fatal(err)
	}
	if err := dir.make(); err != nil {
		t.Fatal(err)
	}
	if fresh := all(); fresh[0] == before[0] {
		t.Error("reset kept the certificate authority")
	}
}

func TestDamagedPKISaysWhatToDo(t *testing.T) {
	for _, name := range []string{"ca.crt", "ca.key", "sa.key"} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			if err := dir.makePKI(time.Now()); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir.pki(name), []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := dir.makePKI(time.Now())
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "--reset") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestState(t *testing.T) {
	dir := newDir(t)
	if state, err := dir.ReadState(); err != nil || state != (State{}) {
		t.Errorf("no run yet: %+v, %v", state, err)
	}
	want := State{APIServer: "https://127.0.0.1:1", Ports: Ports{APIServer: 1}, Version: "v1.36.3", Started: time.Now().UTC().Round(0)}
	if err := dir.writeState(want); err != nil {
		t.Fatal(err)
	}
	if got, err := dir.ReadState(); err != nil || !got.Started.Equal(want.Started) || got.Ports != want.Ports {
		t.Errorf("got %+v, %v", got, err)
	}
}
