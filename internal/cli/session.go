// SPDX-License-Identifier: Apache-2.0

package cli

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
)

// session is one run of the program: where it prints, which cluster the flags
// and the kubeconfig choose, and what time it is.
type session struct {
	genericiooptions.IOStreams
	flags *genericclioptions.ConfigFlags
	clock clock.PassiveClock
	// dial makes the client for a cluster; it need not connect.
	dial func(*rest.Config) (client.WithWatch, error)
}

func newSession(streams genericiooptions.IOStreams) *session {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil // kinds are known, so nothing is discovered and nothing cached
	return &session{IOStreams: streams, flags: flags, clock: clock.RealClock{}, dial: dial}
}

// client returns a client for the cluster that was chosen. It fails when none
// was, or the kubeconfig cannot be read; it does not connect.
func (s *session) client() (client.WithWatch, error) {
	config, err := s.flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to talk to: %s\nKubeconfig: %s. Choose another with --kubeconfig or KUBECONFIG, or another context with --context",
			safeText(err.Error()), s.kubeconfig())
	}
	if s.isFallback(config) {
		return nil, fmt.Errorf("no cluster to talk to: the kubeconfig names none\nKubeconfig: %s. Choose another with --kubeconfig or KUBECONFIG, or a context with --context",
			s.kubeconfig())
	}
	config.UserAgent = rest.DefaultKubernetesUserAgent()
	config.WarningHandler = warningPrinter{s.ErrOut}
	return s.dial(config)
}

// isFallback says whether the config is the one clientcmd makes up where
// nothing is configured, on a port where no API server has listened for years.
func (s *session) isFallback(config *rest.Config) bool {
	if config.Host != clientcmd.ClusterDefaults.Server || *s.flags.APIServer != "" || os.Getenv("KUBERNETES_MASTER") != "" {
		return false
	}
	raw, err := s.flags.ToRawKubeConfigLoader().RawConfig()
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

// kubeconfig names the files that say which cluster to talk to, and for each
// whether it is missing.
func (s *session) kubeconfig() string {
	paths := s.flags.ToRawKubeConfigLoader().ConfigAccess().GetLoadingPrecedence()
	if explicit := *s.flags.KubeConfig; explicit != "" {
		paths = []string{explicit}
	}
	named := make([]string, 0, len(paths))
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			path += " (missing)"
		}
		named = append(named, safeText(path))
	}
	return strings.Join(named, ", ")
}

// connect returns a client for the cluster and the namespace that were chosen.
func (s *session) connect() (client.WithWatch, string, error) {
	cl, err := s.client()
	if err != nil {
		return nil, "", err
	}
	namespace, err := s.namespace()
	return cl, namespace, err
}

// namespace is that of -n, otherwise that of the kubeconfig's context,
// otherwise default.
func (s *session) namespace() (string, error) {
	namespace, _, err := s.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("no namespace to look in: %s; kubeconfig: %s", safeText(err.Error()), s.kubeconfig())
	}
	return namespace, nil
}

// dial makes a client that knows the kinds it needs, so that no request is
// spent on discovery.
func dial(config *rest.Config) (client.WithWatch, error) {
	kinds, err := newScheme()
	if err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: kinds, Mapper: newMapper()})
}

func newScheme() (*runtime.Scheme, error) {
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
