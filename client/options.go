// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"errors"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/ow-kai/ascend-operator/internal/connection"
)

// The defaults of Options.
const (
	DefaultTimeout      = 5 * time.Second
	DefaultMaxRetries   = 3
	DefaultPollInterval = 5 * time.Second
)

// Options say which cluster a client talks to, and in whose name. The zero
// Options take everything from the environment.
type Options struct {
	// Config is the connection. nil: ASCEND_API_URL with ASCEND_API_KEY and
	// ASCEND_CA_FILE, otherwise the Pod's ServiceAccount, otherwise the kubeconfig.
	// Its Timeout, QPS and Burst have no effect.
	Config *rest.Config
	// Namespace of the actions. Empty: ASCEND_NAMESPACE, otherwise the Pod's or
	// the kubeconfig context's where that is the connection, otherwise default.
	Namespace string
	// Agent in whose name actions are submitted. Empty: ASCEND_AGENT_ID. Only
	// Submit and Govern need one.
	Agent string
	// Timeout is how long one request may take, and how long Submit waits for the
	// operator's first decision. 0: DefaultTimeout.
	Timeout time.Duration
	// MaxRetries is how often a request is sent again whose failure may pass: no
	// answer, 429, 500, 502, 503 and 504. 0: DefaultMaxRetries; below 0: never.
	MaxRetries int
	// PollInterval is how often an action that is waited for is read while no
	// watch can be had. 0: DefaultPollInterval.
	PollInterval time.Duration
}

// placeholders are keys that were never one.
var placeholders = []string{"owkai_your_key_here", "your_key_here", "your_api_key"}

// accountNamespace is where a Pod finds its namespace.
const accountNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// complete fills in what is left out, from the environment.
func (o Options) complete() (Options, error) {
	o.Agent = cmp.Or(o.Agent, os.Getenv(connection.EnvAgentID))
	o.Namespace = cmp.Or(o.Namespace, os.Getenv(connection.EnvNamespace))
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.PollInterval = cmp.Or(o.PollInterval, DefaultPollInterval)
	o.MaxRetries = max(cmp.Or(o.MaxRetries, DefaultMaxRetries), 0)
	switch {
	case o.Timeout < 0:
		return o, invalidf("Options.Timeout", "", "is %s, and has to be above 0", o.Timeout)
	case o.PollInterval < 0:
		return o, invalidf("Options.PollInterval", "", "is %s, and has to be above 0", o.PollInterval)
	}
	if o.Config == nil {
		if err := o.discover(); err != nil {
			return o, err
		}
	}
	o.Namespace = cmp.Or(o.Namespace, metav1.NamespaceDefault)
	return o, checkKey(o.Config)
}

// discover finds the connection where none is given.
func (o *Options) discover() error {
	address, key := os.Getenv(connection.EnvURL), os.Getenv(connection.EnvKey)
	if address != "" || key != "" {
		config, err := environmentConfig(address, key)
		o.Config = config
		return err
	}
	config, err := rest.InClusterConfig()
	if err == nil {
		if namespace, err := os.ReadFile(accountNamespace); err == nil {
			o.Namespace = cmp.Or(o.Namespace, strings.TrimSpace(string(namespace)))
		}
		o.Config = config
		return nil
	}
	if !errors.Is(err, rest.ErrNotInCluster) {
		return &ConnectionError{Problem{Message: "no cluster to talk to: " + err.Error(),
			Help: "Mount the ServiceAccount's token into the Pod, or set " + connection.EnvURL + " and " + connection.EnvKey + "."}}
	}
	return o.fromKubeconfig()
}

func (o *Options) fromKubeconfig() error {
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil)
	config, err := loader.ClientConfig()
	if err != nil {
		return &ConnectionError{Problem{Message: "no cluster to talk to: " + err.Error(),
			Help: "Set " + connection.EnvURL + " and " + connection.EnvKey + " (ascend agents token NAME --export prints both), or choose a kubeconfig with KUBECONFIG.", cause: err}}
	}
	o.Config = config
	if namespace, _, err := loader.Namespace(); err == nil {
		o.Namespace = cmp.Or(o.Namespace, namespace)
	}
	return nil
}

// environmentConfig is the connection that the environment describes. It needs
// both the address and the key, so that a key goes nowhere but where it is for.
func environmentConfig(address, key string) (*rest.Config, error) {
	switch {
	case address == "":
		return nil, &ConnectionError{Problem{Message: connection.EnvKey + " is set, but " + connection.EnvURL + " is not",
			Help: "Set it to the address of the API server; ascend agents token NAME --export prints both."}}
	case key == "":
		return nil, &AuthenticationError{Problem{Message: connection.EnvURL + " is set, but " + connection.EnvKey + " is not",
			Help: "Set it to the agent's token: ascend agents token NAME --export prints both."}}
	}
	config := &rest.Config{Host: address, BearerToken: key}
	if file := os.Getenv(connection.EnvCAFile); file != "" {
		if _, err := os.Stat(file); err != nil { //nolint:gosec // G703: the user names the file
			return nil, &ConnectionError{Problem{Message: "cannot read the authority of the API server: " + err.Error(),
				Help: "The file is named by " + connection.EnvCAFile + ".", cause: err}}
		}
		config.CAFile = file
	}
	return config, nil
}

// checkKey refuses a key that is none, and an address to which no key may go.
func checkKey(config *rest.Config) error {
	for _, placeholder := range placeholders {
		if config.BearerToken == placeholder {
			return &AuthenticationError{Problem{Message: "the key is the placeholder " + placeholder,
				Help: "The agent's token goes into " + connection.EnvKey + ": ascend agents token NAME"}}
		}
	}
	if strings.ContainsFunc(config.BearerToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return &AuthenticationError{Problem{Message: "the key has white space or other characters in it that no token has",
			Help: "Copy it again: ascend agents token NAME"}}
	}
	hasKey := config.BearerToken != "" || config.BearerTokenFile != "" || config.Password != "" || config.ExecProvider != nil || config.AuthProvider != nil
	if !hasKey || !strings.Contains(config.Host, "://") { // without a scheme it is https
		return nil
	}
	if err := connection.Sendable(config.Host, connection.EnvURL, connection.EnvKey); err != nil {
		return &ConnectionError{Problem{Message: err.Error()}}
	}
	return nil
}
