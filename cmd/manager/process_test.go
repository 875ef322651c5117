// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"
)

// patience is long, for the machine may be busy, and costs nothing where
// things go well.
const patience = time.Minute

// asManager makes this test binary the operator itself.
const asManager = "ASCEND_TEST_AS_MANAGER"

func TestMain(m *testing.M) {
	if os.Getenv(asManager) != "" {
		os.Exit(command(ctrl.SetupSignalHandler(), os.Args[1:], os.Stderr))
	}
	os.Exit(m.Run())
}

// process is an operator of its own.
type process struct {
	t        *testing.T
	command  *exec.Cmd
	probes   string
	metrics  string
	auditLog string
	log      *output
	ended    chan error
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startProcess starts an operator. Flags are added to those that every test needs.
func startProcess(t *testing.T, config *rest.Config, flags ...string) *process {
	t.Helper()
	p := &process{
		t: t, probes: freeAddress(t), metrics: freeAddress(t), log: &output{}, ended: make(chan error, 1),
		auditLog: filepath.Join(t.TempDir(), "audit.log"),
	}
	p.command = exec.Command(os.Args[0], append([]string{
		"--kubeconfig=" + kubeconfigFile(t, config),
		"--health-probe-bind-address=" + p.probes,
		"--metrics-bind-address=" + p.metrics,
		"--audit-log=" + p.auditLog,
	}, flags...)...)
	p.command.Env = append(os.Environ(), asManager+"=1")
	p.command.Stdout, p.command.Stderr = p.log, p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		if t.Failed() {
			t.Logf("the operator's log:\n%s", p.log)
		}
	})
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func kubeconfigFile(t *testing.T, config *rest.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		CurrentContext: "test",
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "admin"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"test": {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"admin": {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}},
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitEnd waits for the process to end and returns its exit code.
func (p *process) awaitEnd() int {
	p.t.Helper()
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatal("the operator does not end")
		return 0
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// get returns status and body; status 0 while nobody answers.
func get(ctx context.Context, url, token string) (status int, body string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // it is self-signed
	}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// eventually waits until what holds, or fails with what it last said.
func eventually(t *testing.T, what string, holds func() (ok bool, last string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, last := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s; last: %s", what, patience, last)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awaitStatus waits until a URL answers with a status, and returns the body.
func awaitStatus(t *testing.T, url, token string, want int) string {
	t.Helper()
	var body string
	eventually(t, url, func() (bool, string) {
		status, text := get(t.Context(), url, token)
		body = text
		return status == want, strings.TrimSpace(http.StatusText(status) + " " + text)
	})
	return body
}
