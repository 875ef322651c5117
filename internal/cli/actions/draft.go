// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"encoding/json"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// draft is an action described by flags.
type draft struct {
	agent, actionType, description, resource string
	parameters, context                      []string
	parametersFile, contextFile              string
	exceptionFrom, justification             string
	ttl                                      time.Duration
}

// draftFlags are the flags that describe an action.
var draftFlags = []string{
	"agent-id", "type", "description", "resource", "param", "params", "context-param", "context-file",
	"exception-from", "justification", "ttl",
}

func (d *draft) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.agent, "agent-id", "", "the Agent in whose name it is (default: "+session.EnvAgentID+")")
	f.StringVar(&d.actionType, "type", "", "what is to be done, such as database_read")
	f.StringVar(&d.description, "description", "", "what for, for the people who decide")
	f.StringVar(&d.resource, "resource", "", "what it is done to; parameters such as table or path say it, too")
	f.StringArrayVar(&d.parameters, "param", nil, "parameter as `key=text` or key:=JSON; may be repeated")
	f.StringVar(&d.parametersFile, "params", "", "`file` with the parameters, an object in JSON or YAML; - for stdin")
	f.StringArrayVar(&d.context, "context-param", nil, "like --param, for the context: what led to the action")
	f.StringVar(&d.contextFile, "context-file", "", "like --params, for the context")
	f.StringVar(&d.exceptionFrom, "exception-from", "", "the `rule` that denies it, and from which people may except it")
	f.StringVar(&d.justification, "justification", "", "why they should")
	f.DurationVar(&d.ttl, "ttl", 0, "how long the action is kept after its decision (default 720h)")
}

// given is the first flag that was used, or empty.
func (d *draft) given(cmd *cobra.Command) string {
	for _, flag := range draftFlags {
		if cmd.Flags().Changed(flag) {
			return flag
		}
	}
	return ""
}

// spec is what the flags describe.
func (d *draft) spec(cmd *cobra.Command, in io.Reader) (*v1alpha1.AgentActionSpec, error) {
	switch {
	case d.parametersFile == "-" && d.contextFile == "-":
		return nil, session.Usagef(cmd, "only one of --params and --context-file can be read from stdin")
	case (d.exceptionFrom == "") != (d.justification == ""):
		return nil, session.Usagef(cmd, "--exception-from and --justification go together")
	case d.ttl < 0:
		return nil, session.Usagef(cmd, "--ttl is %s; it must be 0 or more", d.ttl)
	}
	spec := &v1alpha1.AgentActionSpec{
		AgentRef:   v1alpha1.LocalReference{Name: v1alpha1.ObjectName(d.agent)},
		ActionType: d.actionType, Description: d.description, Resource: d.resource,
	}
	var err error
	if spec.Parameters, err = object(cmd, in, "param", d.parametersFile, d.parameters); err != nil {
		return nil, err
	}
	if spec.Context, err = object(cmd, in, "context-param", d.contextFile, d.context); err != nil {
		return nil, err
	}
	if d.exceptionFrom != "" {
		spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: v1alpha1.ObjectName(d.exceptionFrom), Justification: d.justification}
	}
	if cmd.Flags().Changed("ttl") {
		spec.TTLAfterDecision = &metav1.Duration{Duration: d.ttl}
	}
	return spec, nil
}

// object is what a file and flags make together; nil when there is neither.
func object(cmd *cobra.Command, in io.Reader, flag, path string, given []string) (*runtime.RawExtension, error) {
	if path == "" && len(given) == 0 {
		return nil, nil //nolint:nilnil // left out is a valid value
	}
	collected, err := collect(in, flag, path, given)
	if err != nil {
		return nil, session.Usagef(cmd, "%w", err)
	}
	data, err := json.Marshal(collected)
	if err != nil {
		return nil, err
	}
	return &runtime.RawExtension{Raw: data}, nil
}
