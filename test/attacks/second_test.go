// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"bytes"
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/test/envtest"
)

// startSecond starts another operator beside that of the stack, with these
// flags added, and returns where it serves webhooks. It never leads, so that it
// decides nothing. It ends with the spec.
func startSecond(ctx context.Context, flags ...string) string {
	GinkgoHelper()
	if runtime.GOOS != "linux" {
		Skip("needs Linux's /dev/full")
	}
	metrics, probes, webhooks := envtest.FreeAddress(ctx, GinkgoT()), envtest.FreeAddress(ctx, GinkgoT()), envtest.FreeAddress(ctx, GinkgoT())
	var said bytes.Buffer
	run := exec.Command(filepath.Join(root, "bin", "manager"), append([]string{
		"--kubeconfig=" + filepath.Join(lab.folder, "identities", "ascend-controller-manager.kubeconfig"),
		"--metrics-bind-address=" + metrics, "--health-probe-bind-address=" + probes,
		"--webhook-bind-address=" + webhooks, "--webhook-hosts=127.0.0.1",
		"--leader-elect",
	}, flags...)...)
	run.Stdout, run.Stderr = &said, &said
	Expect(run.Start()).To(Succeed())
	ended := make(chan struct{})
	go func() {
		_ = run.Wait()
		close(ended)
	}()
	DeferCleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM)
		Eventually(ended, patience).Should(BeClosed())
		if CurrentSpecReport().Failed() {
			AddReportEntry("the second operator said", said.String())
		}
	})
	Eventually(func(g Gomega) {
		g.Expect(ended).NotTo(BeClosed(), "it ended")
		for _, check := range []string{"webhooks", "seal-keys", "certificate"} {
			code, text, err := get(ctx, "http://"+probes+"/readyz/"+check)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(code).To(Equal(http.StatusOK), text)
		}
	}).WithContext(ctx).Should(Succeed())
	return webhooks
}
