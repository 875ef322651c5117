// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/trail"
	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
)

// root is the checkout, seen from this folder.
const root = "../.."

// stack is what `make dev` runs.
type stack struct {
	folder string
	config *rest.Config
	// admin prepares and looks; it attacks nothing.
	admin client.WithWatch
	ca    authority
	// whole are the webhook configurations before a mode was entered.
	whole configurations
	// refusals are what webhooks have answered.
	refusals refusals
	people   people
}

// startStack builds the programs and starts everything in a folder of its own.
func startStack(ctx context.Context) *stack {
	GinkgoHelper()
	Expect(os.Getenv("KUBEBUILDER_ASSETS")).NotTo(BeEmpty(), "the control plane is not built; run make test")
	build := exec.CommandContext(ctx, "make", "build")
	build.Dir = root
	out, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))

	folder, err := os.MkdirTemp("", "ascend-attacks-")
	Expect(err).NotTo(HaveOccurred())
	driver := filepath.Join(folder, "dev")
	build = exec.CommandContext(ctx, "go", "build", "-o", driver, "./hack/dev")
	build.Dir = root
	out, err = build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))

	var said bytes.Buffer
	run := exec.Command(driver, "up", "--dir", filepath.Join(folder, "run"))
	run.Dir, run.Stdout, run.Stderr = root, &said, &said
	Expect(run.Start()).To(Succeed())
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	DeferCleanup(func(ctx SpecContext) { //nolint:contextcheck // the cleanup has a context of its own
		_ = run.Process.Signal(syscall.SIGTERM)
		Eventually(ended, patience).Should(Receive(), said.String())
		expectSound(ctx, filepath.Join(folder, "run", "audit.log"))
		if CurrentSpecReport().Failed() {
			return // the logs may say why
		}
		_ = os.RemoveAll(folder)
	})
	place := filepath.Join(folder, "run")
	Eventually(func(g Gomega) {
		g.Expect(ended).NotTo(Receive(), "it ended")
		_, err := os.Stat(filepath.Join(place, "ready"))
		g.Expect(err).NotTo(HaveOccurred())
	}, 5*time.Minute).WithContext(ctx).Should(Succeed(), said.String)
	return connect(place)
}

func connect(folder string) *stack {
	GinkgoHelper()
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(folder, "kubeconfig"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	admin, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return &stack{folder: folder, config: config, admin: admin, ca: readAuthority(filepath.Join(folder, "cluster", "pki"))}
}

// expectSound: whatever was tried, the audit trail is whole, and each of its
// records is what the schema says.
func expectSound(ctx context.Context, log string) {
	GinkgoHelper()
	lines := 0
	report, err := trail.Verify(ctx, func(yield func(trail.Line, error) bool) {
		for line, err := range trail.Open([]string{log}, nil) {
			lines++
			if err == nil {
				Expect(schematest.Validate(line.Raw)).To(Succeed(), string(line.Raw))
			}
			if !yield(line, err) {
				return
			}
		}
	}, trail.VerifyOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(report.Faults).To(BeEmpty())
	Expect(lines).To(BeNumerically(">", 1000))
}

// records are the lines of the audit trail so far.
func (l *stack) records() []audit.Record {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(l.folder, "audit.log"))
	Expect(err).NotTo(HaveOccurred())
	var out []audit.Record
	for line := range bytes.Lines(text) {
		var record audit.Record
		if json.Unmarshal(line, &record) == nil { // the last one may be half written
			out = append(out, record)
		}
	}
	return out
}

// probeAction and probeRule are refused by the webhook that is asked about them,
// if one is.
func (l *stack) probeAction() client.Object {
	action := &v1alpha1.AgentAction{}
	action.Namespace, action.Name = "default", "probe"
	action.Spec.AgentRef.Name, action.Spec.ActionType = "nobody", "probe"
	return action
}

func (l *stack) probeRule() client.Object {
	rule := &v1alpha1.SmartRule{}
	rule.Namespace, rule.Name = "default", "probe"
	rule.Spec.Effect, rule.Spec.Mode = v1alpha1.EffectDeny, v1alpha1.RuleEnforce
	rule.Spec.Conditions = []v1alpha1.RuleCondition{{Name: "broken", Expression: "1 +"}}
	return rule
}
