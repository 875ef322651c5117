// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
)

// checkout is seen from this package.
const checkout = "../.."

const (
	stackStarts = 5 * time.Minute // it takes about ten seconds
	stackStops  = 2 * time.Minute
)

// stack is a control plane with the operator, admission and the starter policy,
// as `make dev` runs it, and the people who use it.
type stack struct {
	dir    string
	people string // kubeconfig with a context for each of them
}

// person is somebody whom the administrator impersonates, or nobody in
// particular who is on the wrong cluster.
type person struct {
	groups    []string
	namespace string // of the context; empty: default
	server    string // empty: the stack's
}

// everybody are the contexts of the people's kubeconfig, beside admin and agent.
var everybody = map[string]person{
	"alice":     {groups: []string{"ascend-approvers"}},
	"carol":     {groups: []string{"ascend-approvers"}},
	"dave":      {groups: []string{"ascend-rule-authors"}},
	"stranger":  {},
	"elsewhere": {groups: []string{"ascend-approvers"}, namespace: "kube-public"},
	"nowhere":   {server: "https://127.0.0.1:1"},
}

// startStack starts it, and stops it when the container of specs that it was
// called in has ended.
func startStack(ctx SpecContext) *stack {
	GinkgoHelper()
	s := &stack{dir: GinkgoT().TempDir()}
	folder := filepath.Join(s.dir, "cluster")
	var said bytes.Buffer
	// No context ends it, but SIGTERM, so that it can stop its own children.
	up := exec.Command(devProgram, "up", "--dir", folder)
	up.Dir, up.Stdout, up.Stderr = checkout, &said, &said
	Expect(up.Start()).To(Succeed())
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	DeferCleanup(func() {
		Expect(up.Process.Signal(syscall.SIGTERM)).To(Or(Succeed(), MatchError(os.ErrProcessDone)))
		Eventually(ended).WithTimeout(stackStops).Should(Receive(BeNil()), "%s", &said)
		log, err := os.ReadFile(filepath.Join(folder, "audit.log"))
		Expect(err).NotTo(HaveOccurred())
		schematest.Check(GinkgoTB(), log)
	})
	Eventually(func(g Gomega) {
		select {
		case err := <-ended:
			ended <- nil
			StopTrying(fmt.Sprintf("dev up has ended: %v\n%s", err, &said)).Now()
		default:
			g.Expect(filepath.Join(folder, "ready")).To(BeARegularFile())
		}
	}).WithContext(ctx).WithTimeout(stackStarts).WithPolling(100 * time.Millisecond).Should(Succeed())
	s.people = filepath.Join(s.dir, "people")
	writePeople(folder, s.people)
	return s
}

// writePeople writes a kubeconfig with the contexts admin and agent out of the
// stack's folder, and one for each of everybody.
func writePeople(folder, path string) {
	GinkgoHelper()
	config := api.NewConfig()
	for name, file := range map[string]string{"admin": "kubeconfig", "agent": "identities/tutorial-agent.kubeconfig"} {
		one, err := clientcmd.LoadFromFile(filepath.Join(folder, file))
		Expect(err).NotTo(HaveOccurred())
		context := one.Contexts[one.CurrentContext]
		config.Clusters[name], config.AuthInfos[name] = one.Clusters[context.Cluster], one.AuthInfos[context.AuthInfo]
		config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name, Namespace: "default"}
	}
	for _, name := range slices.Sorted(maps.Keys(everybody)) {
		who := everybody[name]
		user := config.AuthInfos["admin"].DeepCopy()
		user.Impersonate, user.ImpersonateGroups = name, who.groups
		cluster := config.Clusters["admin"].DeepCopy()
		if who.server != "" {
			cluster.Server = who.server
		}
		config.AuthInfos[name], config.Clusters[name] = user, cluster
		config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name, Namespace: who.namespace}
	}
	Expect(clientcmd.WriteToFile(*config, path)).To(Succeed())
}

// ending is how a command ended.
type ending struct {
	exit        int
	out, errOut string
}

// run runs a command line as one of the people would type it: in the checkout,
// with the built programs and the cluster's kubectl in PATH. STACK is the folder
// of `dev up`, in which env has the agent's key.
func (s *stack) run(ctx SpecContext, as, line, stdin string) ending {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "bash", "-c", line)
	command.Dir, command.Env = checkout, s.environment(as)
	command.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	err := command.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		Expect(err).NotTo(HaveOccurred(), "%s", line)
	}
	return ending{command.ProcessState.ExitCode(), out.String(), errOut.String()}
}

func (s *stack) environment(as string) []string {
	GinkgoHelper()
	config, err := clientcmd.LoadFromFile(s.people)
	Expect(err).NotTo(HaveOccurred())
	Expect(config.Contexts).To(HaveKey(as), "nobody is called so")
	config.CurrentContext = as
	kubeconfig := filepath.Join(s.dir, as+".kubeconfig")
	Expect(clientcmd.WriteToFile(*config, kubeconfig)).To(Succeed())
	bin, err := filepath.Abs(filepath.Join(checkout, "bin"))
	Expect(err).NotTo(HaveOccurred())
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "ASCEND_") || strings.HasPrefix(pair, "KUBE")
	})
	path := []string{bin, filepath.Join(s.dir, "cluster", "bin"), os.Getenv("PATH")}
	return append(env, "PATH="+strings.Join(path, string(os.PathListSeparator)), "KUBECONFIG="+kubeconfig,
		"KUBECACHEDIR="+filepath.Join(s.dir, "cache"), "STACK="+filepath.Join(s.dir, "cluster"))
}
