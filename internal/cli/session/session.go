// SPDX-License-Identifier: Apache-2.0

// Package session is what every command needs: the streams, the cluster that flags
// and kubeconfig choose, the time, and how errors are told.
package session

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Session is one run of the program: where it prints, which cluster the flags
// and the kubeconfig choose, and what time it is.
type Session struct {
	genericiooptions.IOStreams
	// Flags choose the cluster, the namespace and the user.
	Flags *genericclioptions.ConfigFlags
	Clock clock.PassiveClock
	// Dial makes the client for a cluster; it need not connect.
	Dial func(*rest.Config) (client.WithWatch, error)
	// Screen is where stdout goes.
	Screen Screen
	// Color is the flag --color.
	Color terminal.Colour
	// Verbosity is the flag -v.
	Verbosity int

	stdout *checked // what is known of Out; nil: nothing
}

// New returns a session with the real time that connects for real.
func New(streams genericiooptions.IOStreams) *Session {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil // kinds are known, so nothing is discovered and nothing cached
	silence()
	s := &Session{IOStreams: streams, Flags: flags, Clock: clock.RealClock{}, Dial: dial, Screen: look(streams.Out), Color: terminal.ColourAuto}
	s.Out, s.stdout = check(streams.Out)
	return s
}

// Client returns a client for the cluster that was chosen. It fails when none
// was, or the kubeconfig cannot be read; it does not connect.
func (s *Session) Client() (client.WithWatch, error) {
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	s.Verbosef(VerboseAsked, "%s", s.Cluster())
	config.UserAgent = rest.DefaultKubernetesUserAgent()
	config.WarningHandler = &warningPrinter{out: s.ErrOut}
	config.QPS = -1 // one request at a time; the API server says by itself when it is too much
	config.Wrap(s.observe)
	return s.Dial(config)
}

// Config is the connection that flags, environment and kubeconfig choose, in
// this order.
func (s *Session) Config() (*rest.Config, error) {
	if s.fromEnvironment() {
		return s.environmentConfig()
	}
	config, err := s.Flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to talk to: %s\nKubeconfig: %s. Choose another with --kubeconfig or KUBECONFIG, or another context with --context",
			terminal.Safe(err.Error()), s.Kubeconfig())
	}
	if s.isFallback(config) {
		return nil, fmt.Errorf("no cluster to talk to: the kubeconfig names none\nKubeconfig: %s. Choose another with --kubeconfig or KUBECONFIG, or a context with --context",
			s.Kubeconfig())
	}
	return config, nil
}

// isFallback says whether the config is the one clientcmd makes up where
// nothing is configured, on a port where no API server has listened for years.
func (s *Session) isFallback(config *rest.Config) bool {
	if config.Host != clientcmd.ClusterDefaults.Server || *s.Flags.APIServer != "" || os.Getenv("KUBERNETES_MASTER") != "" {
		return false
	}
	raw, err := s.Flags.ToRawKubeConfigLoader().RawConfig()
	return err != nil || !namesServer(&raw, config.Host)
}

func namesServer(config *clientcmdapi.Config, server string) bool {
	for _, cluster := range config.Clusters {
		if cluster.Server == server {
			return true
		}
	}
	return false
}

// Kubeconfig names the files that say which cluster to talk to, and for each
// whether it is missing.
func (s *Session) Kubeconfig() string {
	paths := s.Flags.ToRawKubeConfigLoader().ConfigAccess().GetLoadingPrecedence()
	if explicit := *s.Flags.KubeConfig; explicit != "" {
		paths = []string{explicit}
	}
	named := make([]string, 0, len(paths))
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			path += " (missing)"
		}
		named = append(named, terminal.Safe(path))
	}
	return strings.Join(named, ", ")
}

// Connect returns a client for the cluster and the namespace that were chosen.
func (s *Session) Connect() (client.WithWatch, string, error) {
	cl, err := s.Client()
	if err != nil {
		return nil, "", err
	}
	namespace, err := s.Namespace()
	return cl, namespace, err
}

// Namespace is that of -n, otherwise that of ASCEND_NAMESPACE or of the
// kubeconfig's context, whichever of both chose the cluster, otherwise default.
func (s *Session) Namespace() (string, error) {
	if s.fromEnvironment() {
		return cmp.Or(*s.Flags.Namespace, os.Getenv(EnvNamespace), metav1.NamespaceDefault), nil
	}
	namespace, _, err := s.Flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("no namespace to look in: %s; kubeconfig: %s", terminal.Safe(err.Error()), s.Kubeconfig())
	}
	return namespace, nil
}

// NamespaceFlag is what goes behind a command that is suggested, so that it is
// about that namespace: " -n NAME", or nothing where it is chosen anyway.
func (s *Session) NamespaceFlag(namespace string) string {
	if usual, err := s.Namespace(); err == nil && usual == namespace && *s.Flags.Namespace == "" {
		return ""
	}
	return " -n " + terminal.Safe(namespace)
}

// dial makes a client that knows the kinds it needs, so that no request is
// spent on discovery.
func dial(config *rest.Config) (client.WithWatch, error) {
	kinds, err := NewScheme()
	if err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: kinds, Mapper: newMapper()})
}

// NewScheme knows the kinds that commands read and write.
func NewScheme() (*runtime.Scheme, error) {
	kinds := runtime.NewScheme()
	builder := runtime.NewSchemeBuilder(v1alpha1.AddToScheme, authenticationv1.AddToScheme, authorizationv1.AddToScheme,
		corev1.AddToScheme, rbacv1.AddToScheme, metav1.AddMetaToScheme)
	return kinds, builder.AddToScheme(kinds)
}

func newMapper() apimeta.RESTMapper {
	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	for version, scopes := range map[schema.GroupVersion]struct{ namespaced, cluster []string }{
		v1alpha1.GroupVersion: {
			namespaced: []string{"AgentAction", "Agent", "SmartRule", "ApprovalWorkflow", "WebhookSubscription"},
			cluster:    []string{"RiskModel"},
		},
		authenticationv1.SchemeGroupVersion: {cluster: []string{"SelfSubjectReview"}},
		authorizationv1.SchemeGroupVersion:  {cluster: []string{"SelfSubjectAccessReview"}},
		corev1.SchemeGroupVersion:           {namespaced: []string{"ServiceAccount", "Secret", "ConfigMap"}, cluster: []string{"Namespace"}},
		rbacv1.SchemeGroupVersion:           {namespaced: []string{"Role", "RoleBinding"}, cluster: []string{"ClusterRole", "ClusterRoleBinding"}},
	} {
		for _, kind := range scopes.namespaced {
			mapper.Add(version.WithKind(kind), apimeta.RESTScopeNamespace)
		}
		for _, kind := range scopes.cluster {
			mapper.Add(version.WithKind(kind), apimeta.RESTScopeRoot)
		}
	}
	return mapper
}
