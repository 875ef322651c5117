// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// modulePath is what go.mod of the checkout says.
const modulePath = "github.com/ow-kai/ascend-operator"

// folder holds all that one run of the operator leaves, as an absolute path:
//
//	ready                there once everything answers; holds the API server's URL
//	kubeconfig           administrator; mode 0600
//	env                  what the SDKs and the CLI of the tutorial agent need; mode 0600
//	ca.crt               the API server's certificate authority
//	audit.log            every decision, a JSON line each
//	bin/kubectl          the kubectl that fits the cluster
//	cluster/             the control plane, see hack/devcluster
//	identities/          kubeconfigs of the ServiceAccounts; mode 0600
//	webhooks.json        the webhook configurations, with the operator's address
//	caller/              what the API server shows to webhooks, made anew at each start; mode 0700
//	logs/operator.log    what the operator prints
//	logs/cluster.log     what the control plane's driver prints
type folder string

func (f folder) join(name ...string) string {
	return filepath.Join(append([]string{string(f)}, name...)...)
}

func (f folder) ready() string               { return f.join("ready") }
func (f folder) kubeconfig() string          { return f.join("kubeconfig") }
func (f folder) env() string                 { return f.join("env") }
func (f folder) ca() string                  { return f.join("ca.crt") }
func (f folder) auditLog() string            { return f.join("audit.log") }
func (f folder) bin() string                 { return f.join("bin") }
func (f folder) cluster() string             { return f.join("cluster") }
func (f folder) log(name string) string      { return f.join("logs", name+".log") }
func (f folder) callerCA() string            { return f.join("caller", "ca.crt") }
func (f folder) callerKubeconfig() string    { return f.join("caller", "kubeconfig") }
func (f folder) identity(name string) string { return f.join("identities", name+".kubeconfig") }

// admissionConfiguration is what the API server reads at its start.
func (f folder) admissionConfiguration() string { return f.join("caller", "admission.yaml") }

// make creates the folder and what is below it. It will hold an
// administrator's keys, so git is told to leave it alone wherever it is.
func (f folder) make() error {
	for _, sub := range []string{".", "bin", "logs"} {
		if err := os.MkdirAll(f.join(sub), 0o755); err != nil {
			return fmt.Errorf("make the folder: %w; choose another with --dir", err)
		}
	}
	if err := os.MkdirAll(f.join("identities"), 0o700); err != nil {
		return err
	}
	ignore := f.join(".gitignore")
	if _, err := os.Stat(ignore); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(ignore, []byte("*\n"), 0o644)
	}
	return nil
}

// replaceFile writes a file in one step, so that a reader sees the old or the
// new content and never half of it, and gives it exactly this mode.
func replaceFile(path, text string, mode fs.FileMode) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // in vain once renamed
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Chmod(mode), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// checkout returns the root of the checkout that the working directory is in.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		first, _, _ := strings.Cut(string(text), "\n")
		if err == nil && strings.TrimSpace(first) == "module "+modulePath {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("the working directory is not in a checkout of %s; change into one", modulePath)
		}
		dir = parent
	}
}
