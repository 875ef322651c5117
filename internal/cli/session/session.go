// SPDX-License-Identifier: Apache-2.0

// Package session is what every command needs: the streams, the cluster that flags
// and kubeconfig choose, the time, and how errors are told.
package session

import (
	"fmt"
	"os"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
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
}

// New returns a session with the real time that connects for real.
func New(streams genericiooptions.IOStreams) *Session {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil // kinds are known, so nothing is discovered and nothing cached
	return &Session{IOStreams: streams, Flags: flags, Clock: clock.RealClock{}, Dial: dial}
}

// Client returns a client for the cluster that was chosen. It fails when none
// was, or the kubeconfig cannot be read; it does not connect.
func (s *Session) Client() (client.WithWatch, error) {
	config, err := s.Flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to talk to: %s\nKubeconfig: %s. Choose another with --kubeconfig or KUBECONFIG, or another context with --context",
			terminal.Safe(err.Error()), s.Kubeconfig())
	}
	if s.isFallback(config) {
		return nil, fmt.Errorf("no cluster to talk to: the kubeconfig names none\nKubeconfig: %s. Choose another with --kubeconfig or KUBECONFIG, or a context with --context",
			s.Kubeconfig())
	}
	config.UserAgent = rest.DefaultKubernetesUserAgent()
	config.WarningHandler = warningPrinter{s.ErrOut}
	return s.Dial(config)
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

// Namespace is that of -n, otherwise that of the kubeconfig's context,
// otherwise default.
func (s *Session) Namespace() (string, error) {
	namespace, _, err := s.Flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("no namespace to look in: %s; kubeconfig: %s", terminal.Safe(err.Error()), s.Kubeconfig())
	}
	return namespace, nil
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

func NewScheme() (*runtime.Scheme, error) {
	kinds := runtime.NewScheme()
	builder := runtime.NewSchemeBuilder(v1alpha1.AddToScheme, authenticationv1.AddToScheme)
	return kinds, builder.AddToScheme(kinds)
}

func newMapper() apimeta.RESTMapper {
	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	mapper.Add(v1alpha1.GroupVersion.WithKind("AgentAction"), apimeta.RESTScopeNamespace)
	mapper.Add(authenticationv1.SchemeGroupVersion.WithKind("SelfSubjectReview"), apimeta.RESTScopeRoot)
	return mapper
}
