// SPDX-License-Identifier: Apache-2.0

// Package cluster runs a Kubernetes control plane out of one folder: etcd,
// kube-apiserver and kube-controller-manager as child processes on loopback.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Dir is the folder of one cluster, as an absolute path. What is in it:
//
//	kubeconfig     admin, certificates embedded; mode 0600
//	ready          there while the cluster answers; holds the API server's URL
//	state.json     ports, URLs and version of the latest run
//	lock           held by the running driver; names its pid
//	logs/*.log     one file a component, of the latest run (.previous: the one before)
//	run/*.pid      one file a running component
//	pki/           certificate authorities, certificates and keys
//	etcd/          etcd's data
type Dir string

// NewDir makes path absolute.
func NewDir(path string) (Dir, error) {
	if path == "" {
		return "", errors.New("the folder's name is empty: give one with --dir")
	}
	abs, err := filepath.Abs(path)
	return Dir(abs), err
}

// Kubeconfig is the administrator's kubeconfig.
func (d Dir) Kubeconfig() string { return d.join("kubeconfig") }

// Ready is the file that is there while the cluster answers.
func (d Dir) Ready() string { return d.join("ready") }

// Lock is the file that the running driver holds locked.
func (d Dir) Lock() string { return d.join("lock") }

// Log is the log of a component in its latest run.
func (d Dir) Log(name string) string { return d.join("logs", name+".log") }

// PidFile is the file that names the process of a running component.
func (d Dir) PidFile(name string) string { return d.join("run", name+".pid") }

func (d Dir) state() string          { return d.join("state.json") }
func (d Dir) pki(name string) string { return d.join("pki", name) }
func (d Dir) etcdData() string       { return d.join("etcd") }
func (d Dir) join(name ...string) string {
	return filepath.Join(append([]string{string(d)}, name...)...)
}

// make creates the folder and what is below it. The folder holds an
// administrator's keys, so git is told to leave it alone wherever it is.
func (d Dir) make() error {
	for _, sub := range []string{".", "logs", "run"} {
		if err := os.MkdirAll(d.join(sub), 0o755); err != nil {
			return fmt.Errorf("make the cluster's folder: %w; choose another with --dir", err)
		}
	}
	for _, private := range []string{"pki", "etcd"} {
		if err := os.MkdirAll(d.join(private), 0o700); err != nil {
			return fmt.Errorf("make the cluster's folder: %w", err)
		}
	}
	ignore := d.join(".gitignore")
	if _, err := os.Stat(ignore); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(ignore, []byte("*\n"), 0o644)
	}
	return nil
}

// reset throws away what earlier runs stored: the objects and the certificate
// authorities. Logs stay.
func (d Dir) reset() error {
	for _, path := range []string{d.etcdData(), d.join("pki"), d.Kubeconfig(), d.state()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("throw away the earlier cluster: %w", err)
		}
	}
	return nil
}

// State is what a run leaves for other commands and for the next run.
type State struct {
	APIServer string    `json:"apiserver"` // URL
	Etcd      string    `json:"etcd"`      // URL
	Ports     Ports     `json:"ports"`
	Version   string    `json:"version"` // of Kubernetes, e.g. "v1.36.3"
	Started   time.Time `json:"started"`
}

// ReadState returns the state of the latest run; the zero State if there was none.
func (d Dir) ReadState() (State, error) {
	var state State
	text, err := os.ReadFile(d.state())
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		return State{}, fmt.Errorf("%s cannot be read: %w; remove it", d.state(), err)
	}
	return state, nil
}

func (d Dir) writeState(state State) error {
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(d.state(), append(text, '\n'), 0o644)
}

// writeFile replaces the file in one step, so that a reader sees the old or the
// new content and never half of it, and gives it exactly this mode.
func writeFile(path string, text []byte, mode fs.FileMode) error {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // in vain once renamed
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(mode), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
