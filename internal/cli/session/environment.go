// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/ow-kai/ascend-operator/internal/connection"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The environment variables of agents, the same as the SDKs read.
const (
	EnvURL       = connection.EnvURL
	EnvKey       = connection.EnvKey
	EnvCAFile    = connection.EnvCAFile
	EnvNamespace = connection.EnvNamespace
	EnvAgentID   = connection.EnvAgentID
)

// ConnectionHelp says how the cluster is chosen, for help texts.
const ConnectionHelp = `The cluster is chosen by flags (--kubeconfig, --context, --server, --token, --as
and the like); without any, by ASCEND_API_URL, ASCEND_API_KEY and ASCEND_CA_FILE,
with ASCEND_NAMESPACE for -n; otherwise by your kubeconfig. -v 1 says which.
`

// fromEnvironment says whether the environment chooses the cluster. Flags of
// the connection go before it, --as among them: who acts as somebody else does
// so with rights of their own, not with an agent's.
func (s *Session) fromEnvironment() bool {
	if os.Getenv(EnvURL) == "" && os.Getenv(EnvKey) == "" {
		return false
	}
	f := s.Flags
	for _, value := range []*string{
		f.KubeConfig, f.Context, f.ClusterName, f.AuthInfoName, f.APIServer, f.BearerToken, f.CAFile, f.CertFile, f.KeyFile,
		f.Impersonate, f.ImpersonateUID, f.Username, f.Password, f.TLSServerName,
	} {
		if value != nil && *value != "" {
			return false
		}
	}
	return f.ImpersonateGroup == nil || len(*f.ImpersonateGroup) == 0
}

// environmentConfig is the connection that the environment describes. It needs
// both the address and the key, so that a key goes nowhere but where it is for.
func (s *Session) environmentConfig() (*rest.Config, error) {
	address, key := os.Getenv(EnvURL), os.Getenv(EnvKey)
	switch {
	case address == "":
		return nil, errors.New("no cluster to talk to: " + EnvKey + " is set, but " + EnvURL + " is not\nSet it to the address of the API server, or choose a cluster of your kubeconfig with --context")
	case key == "":
		return nil, errors.New("no credentials: " + EnvURL + " is set, but " + EnvKey + " is not\nSet it to the agent's token (ascend agents token NAME makes one), or choose a cluster of your kubeconfig with --context")
	}
	if err := connection.Sendable(address, EnvURL, EnvKey); err != nil {
		return nil, err
	}
	timeout, err := clientcmd.ParseTimeout(*s.Flags.Timeout)
	if err != nil {
		return nil, fmt.Errorf("--request-timeout: %w", err)
	}
	config := &rest.Config{Host: address, BearerToken: key, Timeout: timeout}
	if file := os.Getenv(EnvCAFile); file != "" {
		if _, err := os.Stat(file); err != nil { //nolint:gosec // G703: the user names the file
			return nil, fmt.Errorf("cannot read the authority of %s: %s\nThe file is named by %s", terminal.Safe(address), terminal.Safe(err.Error()), EnvCAFile)
		}
		config.CAFile = file
	}
	return config, nil
}

// origin says where it is configured which cluster and which user it is.
func (s *Session) origin() string {
	if s.fromEnvironment() {
		return "from " + EnvURL
	}
	return "kubeconfig: " + s.Kubeconfig()
}
