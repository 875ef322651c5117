// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// fields are the fixed fields of expressions, in words. Source: the variables
// of internal/rules, and docs/rules.md.
var fields = map[string]string{
	"now": "the time of submission", "action.submittedAt": "the time of submission",
	"action.namespace": "the namespace", "action.name": "the action's name", "action.uid": "the action's uid",
	"action.labels": "the action's labels", "action.annotations": "the action's annotations",
	"action.agent": "the agent's name", "action.actionType": "the action type", "action.description": "the description",
	"action.resource": "the first resource", "action.resources": "the list of resources", "action.parameters": "the parameters",
	"action.context": "the context", "action.dataClassification": "the data classification that was scored",
	"agent.namespace": "the agent's namespace", "agent.name": "the agent's name", "agent.labels": "the agent's labels",
	"agent.annotations": "the agent's annotations", "agent.displayName": "the agent's display name", "agent.type": "the agent's type",
	"agent.environment": "the agent's environment", "agent.owner": "the agent's owner", "agent.state": "the agent's state",
	"risk.score": "the risk score", "risk.level": "the risk level", "risk.vector": "the CVSS vector", "risk.baseScore": "the CVSS base score",
	"risk.classifications": "the list of data classifications", "risk.environments": "the list of environments",
	"requester.username": "the requester's name", "requester.uid": "the requester's uid", "requester.groups": "the list of the requester's groups",
	"namespaceObject.metadata.name": "the namespace", "namespaceObject.metadata.labels": "the namespace's labels",
	"namespaceObject.metadata.annotations": "the namespace's annotations",
}

func isVariable(name string) bool {
	return slices.Contains([]string{"action", "agent", "risk", "requester", "namespaceObject", "now"}, name)
}

// isMap says whether a path is that of an object as a whole.
func isMap(at []string) bool {
	fixed, isOpen := open(append(slices.Clone(at), ""))
	return isOpen && fixed == len(at)
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// describe names what is at a path: parameters.table, the agent's label team.
func describe(at []string) string {
	if words := fields[strings.Join(at, ".")]; words != "" && plainPath(at) {
		return words
	}
	fixed, isOpen := open(at)
	if !isOpen {
		return dotted(at)
	}
	owner := map[string]string{"action": "the action's", "agent": "the agent's", "namespaceObject": "the namespace's"}[at[0]]
	switch at[fixed-1] {
	case "labels":
		return owner + " label " + dotted(at[fixed:])
	case "annotations":
		return owner + " annotation " + dotted(at[fixed:])
	default:
		return dotted(at[fixed-1:])
	}
}

func plainPath(at []string) bool {
	return !slices.ContainsFunc(at, func(part string) bool { return !plainName.MatchString(part) })
}

// dotted writes a path, with quotes around names that need them.
func dotted(at []string) string {
	var out strings.Builder
	for i, part := range at {
		switch {
		case !plainName.MatchString(part) && (i > 0 || len(at) > 1):
			out.WriteString("[" + quoted(part) + "]")
			continue
		case !plainName.MatchString(part):
			out.WriteString(quoted(part))
			continue
		case i > 0:
			out.WriteByte('.')
		}
		out.WriteString(part)
	}
	return out.String()
}

// term is a value in words.
func (w *writer) term(e ast.Expr) string {
	switch e.Kind() {
	case ast.LiteralKind:
		return w.literal(e)
	case ast.IdentKind:
		if meant := w.names[e.AsIdent()]; meant != nil {
			return w.term(meant)
		}
	case ast.ListKind:
		return w.listOf(e)
	case ast.CallKind:
		if words := w.termCall(e); words != "" {
			return words
		}
	}
	at, known := path(e)
	if !known {
		return w.quote(e)
	}
	if meant := w.names[at[0]]; meant != nil {
		before, isPath := path(meant)
		if !isPath {
			return w.quote(e)
		}
		at = append(slices.Clone(before), at[1:]...)
	}
	if len(at) == 1 && fields[at[0]] == "" {
		return code(at[0])
	}
	if !isVariable(at[0]) {
		return code(dotted(at))
	}
	return describe(at)
}

func (w *writer) literal(e ast.Expr) string {
	switch value := e.AsLiteral().(type) {
	case types.String:
		return quoted(string(value))
	case types.Int:
		return strconv.FormatInt(int64(value), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(value), 10)
	case types.Double:
		written := strconv.FormatFloat(float64(value), 'g', -1, 64)
		if !strings.ContainsAny(written, ".eIN") {
			written += ".0"
		}
		return written
	case types.Bool:
		return strconv.FormatBool(bool(value))
	case types.Null:
		return "null"
	default:
		return w.quote(e)
	}
}

func (w *writer) listOf(e ast.Expr) string {
	l := e.AsList()
	if len(l.OptionalIndices()) > 0 {
		return w.quote(e)
	}
	words := make([]string, l.Size())
	for i, element := range l.Elements() {
		words[i] = w.term(element)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// arithmetic are the operators between two values.
var arithmetic = map[string]string{
	operators.Add: "plus", operators.Subtract: "minus", operators.Multiply: "times", operators.Divide: "divided by", operators.Modulo: "modulo",
}

// termCall is the value of a call in words; empty where it is not known.
func (w *writer) termCall(e ast.Expr) string {
	name, args, member := call(e)
	switch {
	case arithmetic[name] != "" && len(args) == 2:
		return fmt.Sprintf("%s %s %s", w.operand(args[0]), arithmetic[name], w.operand(args[1]))
	case name == operators.Negate && len(args) == 1:
		return "minus " + w.operand(args[0])
	case name == operators.Index && len(args) == 2:
		return w.index(args[0], args[1])
	case name == operators.Conditional && len(args) == 3:
		return fmt.Sprintf("(%s if %s, otherwise %s)", w.term(args[1]), w.claim(args[0], true).inline(), w.term(args[2]))
	case name == "orValue" && len(args) == 2:
		return w.orValue(args[0], args[1])
	default:
		return w.termFunction(name, args, member)
	}
}

// orValue is what may be missing, or what is taken then.
func (w *writer) orValue(of, otherwise ast.Expr) string {
	at, known := chain(of)
	if !known || !isVariable(at[0]) || !isOptional(of) {
		return ""
	}
	return fmt.Sprintf("%s (%s where it is not given)", describe(at), w.term(otherwise))
}

// operand is a term beside an operator, in parentheses where it has one itself.
func (w *writer) operand(e ast.Expr) string {
	if name, _, _ := call(e); arithmetic[name] != "" || name == operators.Negate {
		return "(" + w.term(e) + ")"
	}
	return w.term(e)
}

// index is an element by a name or number that is no literal text.
func (w *writer) index(of, key ast.Expr) string {
	if _, isText := text(key); isText {
		return ""
	}
	at, known := path(of)
	if !known || w.names[at[0]] != nil {
		return ""
	}
	if last := at[len(at)-1:]; isMap(at) && (last[0] == "parameters" || last[0] == "context") {
		return fmt.Sprintf("%s[%s]", dotted(last), w.term(key))
	}
	if _, isOpen := open(at); isOpen || isMap(at) {
		return fmt.Sprintf("%s[%s]", describe(at), w.term(key))
	}
	return ""
}

// regex is a regular expression as it was written.
func regex(e ast.Expr) (string, bool) {
	pattern, isText := text(e)
	if strings.Contains(pattern, "`") {
		return quoted(pattern), isText
	}
	return "`" + terminal.Mark(pattern) + "`", isText
}
