// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ow-kai/ascend-operator/test/envtest"
)

// patience is long, for the machine may be busy, and costs nothing where
// things go well.
const patience = 2 * time.Minute

// asManager makes this test binary the operator itself.
const asManager = "ASCEND_TEST_AS_MANAGER"

func TestMain(m *testing.M) {
	if os.Getenv(asManager) != "" {
		dies := newDeath(os.Getenv(asManagerThatDies))
		os.Exit(commandOf(ctrl.SetupSignalHandler(), os.Args[1:], os.Stderr, dies.parts()))
	}
	os.Exit(m.Run())
}

// process is an operator of its own.
type process struct {
	command  *exec.Cmd
	probes   string
	metrics  string
	webhooks string
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
func startProcess(ctx context.Context, flags ...string) *process {
	GinkgoHelper()
	return startProcessWith(ctx, nil, flags...)
}

// startProcessWith is startProcess with further variables of the environment.
func startProcessWith(ctx context.Context, environment []string, flags ...string) *process {
	GinkgoHelper()
	p := &process{
		probes: envtest.FreeAddress(ctx, GinkgoT()), metrics: envtest.FreeAddress(ctx, GinkgoT()), webhooks: envtest.FreeAddress(ctx, GinkgoT()), log: &output{}, ended: make(chan error, 1),
		auditLog: filepath.Join(GinkgoT().TempDir(), "audit.log"),
	}
	p.command = exec.Command(os.Args[0], append([]string{
		"--kubeconfig=" + kubeconfigFile(),
		"--health-probe-bind-address=" + p.probes,
		"--metrics-bind-address=" + p.metrics,
		"--webhook-bind-address=" + p.webhooks,
		"--webhook-hosts=127.0.0.1",
		"--audit-log=" + p.auditLog,
	}, flags...)...)
	p.command.Env = append(append(os.Environ(), asManager+"=1"), environment...)
	p.command.Stdout, p.command.Stderr = p.log, p.log
	Expect(p.command.Start()).To(Succeed())
	go func() { p.ended <- p.command.Wait() }()
	DeferCleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		if CurrentSpecReport().Failed() {
			GinkgoWriter.Printf("the operator's log:\n%s", p.log)
		}
	})
	return p
}

// kubeconfigFile is for the operator's own user, who may do what config/rbac
// says and no more.
func kubeconfigFile() string {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(clientcmdapi.Config{
		CurrentContext: "test",
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "operator"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"test": {Server: server.Host, CertificateAuthorityData: server.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"operator": {
			ClientCertificateData: server.CertData, ClientKeyData: server.KeyData,
			Impersonate: operatorUser, ImpersonateGroups: []string{"system:serviceaccounts", "system:authenticated"},
		}},
	}, path)).To(Succeed())
	return path
}

// awaitEnd waits for the process to end and returns its exit code.
func (p *process) awaitEnd() int {
	GinkgoHelper()
	Eventually(p.ended).WithTimeout(patience).Should(Receive(), "the operator does not end")
	return p.command.ProcessState.ExitCode()
}

func (p *process) signal(s syscall.Signal) {
	GinkgoHelper()
	Expect(p.command.Process.Signal(s)).To(Succeed())
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

// awaitStatus waits until a URL answers with a status, and returns the body.
func awaitStatus(ctx context.Context, url, token string, want int) (body string) {
	GinkgoHelper()
	Eventually(func() (status int) {
		status, body = get(ctx, url, token)
		return status
	}).WithTimeout(patience).Should(Equal(want), func() string { return url + ": " + body })
	return body
}

// awaitMetrics waits for what is counted after it can be seen: a decision is in the status before it is in a counter.
func awaitMetrics(ctx context.Context, p *process, want types.GomegaMatcher) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		status, body := get(ctx, "http://"+p.metrics+"/metrics", "")
		g.Expect(status).To(Equal(200), body)
		g.Expect(body).To(want)
	}).WithTimeout(patience).Should(Succeed())
}
