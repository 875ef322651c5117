// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// defaultTokenDuration of a key that is made for an agent.
	defaultTokenDuration = time.Hour
	// leastTokenDuration is what the API server gives at least. Source:
	// k8s.io/kubernetes/pkg/apis/authentication/validation.
	leastTokenDuration = 10 * time.Minute
)

// token is the command ascend agents token.
type token struct {
	session  *session.Session
	output   session.Output
	duration time.Duration
	account  string
	export   bool
	caFile   string
}

func newTokenCommand(s *session.Session, display string) *cobra.Command {
	o := &token{session: s}
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Make a key for an agent",
		Long: `Make a token of the agent's ServiceAccount, good for some time, and print it. It is
the agent's ASCEND_API_KEY: whoever has it can ask in the agent's name.

With --export it prints what a shell has to run, for the SDKs and for ascend:
ASCEND_API_KEY, ASCEND_API_URL, ASCEND_CA_FILE, ASCEND_NAMESPACE and
ASCEND_AGENT_ID.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			eval "$(%[1]s stock-agent -n shop --export)"
			%[1]s stock-agent -n shop --duration 8h > key`, display),
		Args:              takesNames(1),
		ValidArgsFunction: actions.CompleteAgents(s),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := o.output.Check(cmd); err != nil {
				return err
			}
			switch {
			case o.export && !o.output.ForPeople():
				return session.Usagef(cmd, "give either --export or -o")
			case o.duration < leastTokenDuration:
				return session.Usagef(cmd, "--duration is %s; the API server gives at least %s", o.duration, leastTokenDuration)
			}
			return o.run(cmd.Context(), names[0])
		},
	}
	cmd.Flags().DurationVar(&o.duration, "duration", defaultTokenDuration, "how long it is good; the API server may give less")
	cmd.Flags().StringVar(&o.account, "service-account", "", "which of the agent's ServiceAccounts, where it has several; NAMESPACE/NAME of one in another namespace")
	cmd.Flags().BoolVar(&o.export, "export", false, "print export lines for a shell")
	cmd.Flags().StringVar(&o.caFile, "ca-file", "", "with --export: `file` to write the cluster's authority to (default: in your cache folder)")
	o.output.AddFlags(cmd)
	return cmd
}

func (o *token) run(ctx context.Context, name string) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	agent, err := get(ctx, o.session, cl, key(namespace, name))
	if err != nil {
		return err
	}
	at, err := o.chooseAccount(agent)
	if err != nil {
		return err
	}
	request, err := o.make(ctx, cl, at)
	if err != nil {
		return err
	}
	out := o.session.Out
	switch {
	case o.export:
		return o.printExports(agent, request)
	case !o.output.ForPeople():
		return o.output.Print(out, request)
	default:
		fmt.Fprintln(out, terminal.Safe(request.Status.Token))
		return nil
	}
}

// chooseAccount is the ServiceAccount that acts for the agent.
func (o *token) chooseAccount(agent *v1alpha1.Agent) (types.NamespacedName, error) {
	var accounts []types.NamespacedName
	var names []string
	for _, subject := range agent.Spec.Subjects {
		if subject.Kind != v1alpha1.SubjectServiceAccount {
			continue
		}
		at := types.NamespacedName{Namespace: string(subject.Namespace), Name: string(subject.Name)}
		word := at.String()
		if at.Namespace == "" || at.Namespace == agent.Namespace {
			at.Namespace, word = agent.Namespace, at.Name
		}
		if o.account == "" || o.account == word || o.account == at.String() {
			accounts, names = append(accounts, at), append(names, terminal.Safe(word))
		}
	}
	name := terminal.Safe(agent.Name)
	switch {
	case len(accounts) == 1 && o.account == "" && accounts[0].Namespace != agent.Namespace: // who may write agents need not have rights there
		return types.NamespacedName{}, fmt.Errorf("agent %s acts as a ServiceAccount of another namespace, whose key has all of the rights of that one\nIf that is what you mean, say --service-account %s", name, terminal.ShellWord(names[0]))
	case len(accounts) == 1:
		return accounts[0], nil
	case len(accounts) > 1:
		return types.NamespacedName{}, fmt.Errorf("agent %s has several ServiceAccounts; choose one with --service-account: %s", name, strings.Join(names, ", "))
	case o.account != "":
		return types.NamespacedName{}, fmt.Errorf("agent %s has no ServiceAccount %s among its subjects", name, terminal.Safe(o.account))
	default:
		return types.NamespacedName{}, fmt.Errorf("agent %s has no ServiceAccount among its subjects, so there is no key to make\nascend agents register %[1]s%[2]s gives it one", name, o.session.NamespaceFlag(agent.Namespace))
	}
}

func (o *token) make(ctx context.Context, cl client.Client, at types.NamespacedName) (*authenticationv1.TokenRequest, error) {
	seconds := int64(o.duration / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = at.Namespace, at.Name
	err := cl.SubResource("token").Create(ctx, account, request)
	doing := "make a token of ServiceAccount " + named(at)
	switch {
	case isForbidden(err):
		return nil, lacking(ctx, o.session, cl, at.Namespace, doing, []right{{verb: "create", resource: "serviceaccounts/token"}})
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("cannot %s: there is none\nascend agents register %s -n %s makes it", doing, terminal.Safe(at.Name), terminal.Safe(at.Namespace))
	default:
		return request, o.session.Failed(err, doing)
	}
}

// printExports prints what a shell has to run to be the agent.
func (o *token) printExports(agent *v1alpha1.Agent, request *authenticationv1.TokenRequest) error {
	config, err := o.session.Config()
	if err != nil {
		return err
	}
	ca, err := o.authority(config)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.session.Out, "# Agent %s, until %s\n", named(client.ObjectKeyFromObject(agent)), terminal.Moment(request.Status.ExpirationTimestamp.Time))
	for _, variable := range []struct{ name, value string }{
		{session.EnvKey, request.Status.Token}, {session.EnvURL, config.Host}, {session.EnvCAFile, ca},
		{session.EnvNamespace, agent.Namespace}, {session.EnvAgentID, agent.Name},
	} {
		if variable.value == "" {
			fmt.Fprintf(o.session.Out, "unset %s\n", variable.name)
			continue
		}
		fmt.Fprintf(o.session.Out, "export %s=%s\n", variable.name, terminal.ShellQuote(variable.value))
	}
	return nil
}

// authority is a file with the authority that the cluster's certificate is
// from; empty where it is one of the system's. An authority is no secret.
func (o *token) authority(config *rest.Config) (string, error) {
	switch {
	case config.Insecure:
		fmt.Fprintln(o.session.ErrOut, "warning: your kubeconfig does not verify the cluster's certificate; agents always do, so give them its authority as ASCEND_CA_FILE")
		return "", nil
	case len(config.CAData) == 0 && config.CAFile == "":
		return "", nil
	case len(config.CAData) == 0:
		return filepath.Abs(config.CAFile)
	}
	path := o.caFile
	if path == "" {
		folder, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no place to write the cluster's authority to: %w\nGive one with --ca-file", err)
		}
		sum := sha256.Sum256(config.CAData)
		path = filepath.Join(folder, "ascend", "ca-"+hex.EncodeToString(sum[:8])+".crt")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o750)
	}
	if err == nil {
		err = os.WriteFile(path, config.CAData, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("cannot write the cluster's authority: %s\nGive another place with --ca-file", terminal.Safe(err.Error()))
	}
	return path, nil
}
