// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

const (
	// clusterTimeout is how long the control plane may take: it is built when
	// that has not been done yet.
	clusterTimeout = 30 * time.Minute
	clusterGrace   = 40 * time.Second
	pollInterval   = 50 * time.Millisecond
)

// startCluster starts the control plane in folder.cluster() and waits until it
// answers. It leaves the administrator's kubeconfig, the certificate authority
// and kubectl in the folder. The child is returned with an error too, once it
// runs; the caller stops it.
func (s shell) startCluster(ctx context.Context) (*child, error) {
	driver := s.folder.join("bin", "devcluster")
	build := exec.CommandContext(ctx, "go", "build", "-o", driver, ".")
	build.Dir = filepath.Join(s.root, "hack", "devcluster")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the driver of the control plane: %w\n%s", err, out)
	}
	if status, err := exec.CommandContext(ctx, driver, "status", "--dir", s.folder.cluster()).Output(); err == nil {
		return nil, fmt.Errorf("%s is in use; stop what runs there, or give another folder with --dir:\n%s", s.shown(string(s.folder)), status)
	}
	// A run that was killed could not remove it.
	if err := os.Remove(s.folder.ready()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	assets := exec.CommandContext(ctx, driver, "assets")
	assets.Stderr = os.Stderr // tells how far the build is
	programs, err := assets.Output()
	if err != nil {
		return nil, fmt.Errorf("build the control plane: %w", err)
	}
	if err := s.linkKubectl(strings.TrimSpace(string(programs))); err != nil {
		return nil, err
	}
	if err := s.folder.makeCaller(); err != nil {
		return nil, err
	}
	cluster, err := startChild("control plane", []string{
		driver, "up", "--dir", s.folder.cluster(),
		"--apiserver-arg", "admission-control-config-file=" + s.folder.admissionConfiguration(),
	}, os.Environ(), s.folder.log("cluster"))
	if err != nil {
		return nil, err
	}
	if err := s.awaitCluster(ctx, cluster); err != nil {
		return cluster, err
	}
	return cluster, s.adoptCluster()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// size of a file in bytes, 0 where there is none.
func size(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

func (s shell) linkKubectl(programs string) error {
	link := filepath.Join(s.folder.bin(), "kubectl")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(filepath.Join(programs, "kubectl"), link)
}

func (s shell) awaitCluster(ctx context.Context, cluster *child) error {
	ctx, cancel := context.WithTimeoutCause(ctx, clusterTimeout,
		fmt.Errorf("the control plane did not answer within %s; its log is %s", clusterTimeout, cluster.log))
	defer cancel()
	ready := filepath.Join(s.folder.cluster(), "ready")
	return poll(ctx, func() (bool, error) {
		if cluster.ended() {
			return false, cluster.died()
		}
		// A file of an earlier run is gone once the driver has begun to print.
		return size(cluster.log) > 0 && exists(ready), nil
	})
}

// adoptCluster copies what others look for from the cluster's folder to ours.
func (s shell) adoptCluster() error {
	text, err := os.ReadFile(filepath.Join(s.folder.cluster(), "kubeconfig"))
	if err != nil {
		return err
	}
	if err := replaceFile(s.folder.kubeconfig(), string(text), 0o600); err != nil {
		return err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		return fmt.Errorf("read the administrator's kubeconfig: %w", err)
	}
	return replaceFile(s.folder.ca(), string(config.CAData), 0o644)
}

// server is the URL of the API server, out of the administrator's kubeconfig.
func (s shell) server() (string, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.folder.kubeconfig())
	if err != nil {
		return "", err
	}
	return config.Host, nil
}

// serviceAccountKubeconfig is a kubeconfig for a bearer token.
func serviceAccountKubeconfig(server string, ca []byte, namespace, name, token string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: dev
  cluster:
    server: %s
    certificate-authority-data: %s
contexts:
- name: dev
  context:
    cluster: dev
    namespace: %s
    user: %s
users:
- name: %s
  user:
    token: %s
`, server, base64.StdEncoding.EncodeToString(ca), namespace, name, name, token)
}

// poll asks until the answer is yes, an error comes, or ctx ends, and then
// returns the cause of that.
func poll(ctx context.Context, ask func() (bool, error)) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
