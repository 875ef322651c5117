// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The output formats that are not cli-runtime's. The empty one is what the
// command prints for people, most often a table.
const (
	OutputTable = ""
	OutputWide  = "wide"
	OutputName  = "name"
)

// Output is the flag -o of a command that prints objects: its own format for
// people, and those of cli-runtime for programs.
type Output struct {
	// Wide: the command has a wide table, too.
	Wide bool

	flags   *genericclioptions.PrintFlags
	kinds   *runtime.Scheme
	printer printers.ResourcePrinter
}

// AddFlags adds -o and the flags that belong to it. Call it once, before Check.
func (o *Output) AddFlags(cmd *cobra.Command) {
	o.flags = genericclioptions.NewPrintFlags("")
	cmd.Flags().StringVarP(o.flags.OutputFormat, "output", "o", "", "output format: "+strings.Join(o.formats(), ", "))
	cmd.Flags().BoolVar(&o.flags.JSONYamlPrintFlags.ShowManagedFields, "show-managed-fields", false, "with -o: keep managedFields")
	templates := o.flags.TemplatePrinterFlags
	cmd.Flags().StringVar(templates.TemplateArgument, "template", "", "with -o go-template, jsonpath and the like: the template, or the file with it")
	cmd.Flags().BoolVar(templates.AllowMissingKeys, "allow-missing-template-keys", true, "with templates: what is missing is left out and no error")
	if err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.completions(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was added above
	}
}

// Format is the value of -o; OutputTable where none was given.
func (o *Output) Format() string {
	if *o.flags.OutputFormat == OutputTable && *o.flags.TemplatePrinterFlags.TemplateArgument != "" {
		return "go-template" // as kubectl has it
	}
	return *o.flags.OutputFormat
}

// ForPeople says whether the command prints its own format, and not an object.
func (o *Output) ForPeople() bool { return o.Format() == OutputTable || o.IsWide() }

// IsWide says whether the wide table was asked for.
func (o *Output) IsWide() bool { return o.Wide && o.Format() == OutputWide }

// Check refuses a format that does not exist, and a template that cannot be
// read, as a UsageError.
func (o *Output) Check(cmd *cobra.Command) error {
	if o.ForPeople() || o.Format() == OutputName {
		return nil
	}
	var err error
	o.printer, err = o.flags.ToPrinter()
	switch {
	case err == nil:
		return nil
	case genericclioptions.IsNoCompatiblePrinterError(err):
		return Usagef(cmd, "there is no output format %q; use %s", terminal.Safe(o.Format()), strings.Join(o.formats(), ", "))
	default:
		return Usagef(cmd, "-o %s: %s", terminal.Safe(o.Format()), terminal.Safe(err.Error()))
	}
}

// Print prints an object or a list in the format for programs that was asked
// for, after Check. Kinds are filled in, also those of a list's items;
// managedFields are left out unless they were asked for. Several objects in YAML
// are several documents.
func (o *Output) Print(out io.Writer, object runtime.Object) error {
	object = object.DeepCopyObject()
	if err := o.complete(object); err != nil {
		return err
	}
	if o.Format() == OutputName {
		return printNames(out, object)
	}
	if err := o.printer.PrintObj(object, out); err != nil {
		return fmt.Errorf("cannot print with -o %s: %s", terminal.Safe(o.Format()), terminal.Safe(err.Error()))
	}
	return nil
}

// complete fills in apiVersion and kind, which clients drop, and leaves
// managedFields out, unless they were asked for.
func (o *Output) complete(object runtime.Object) error {
	if o.kinds == nil {
		kinds, err := NewScheme()
		if err != nil {
			return err
		}
		o.kinds = kinds
	}
	set := func(object runtime.Object) error {
		kind, err := apiutil.GVKForObject(object, o.kinds)
		if err != nil {
			return err
		}
		object.GetObjectKind().SetGroupVersionKind(kind)
		if named, err := apimeta.Accessor(object); err == nil && !o.ManagedFields() {
			named.SetManagedFields(nil)
		}
		return nil
	}
	if apimeta.IsListType(object) {
		if err := apimeta.EachListItem(object, set); err != nil {
			return err
		}
	}
	return set(object)
}

// printNames prints RESOURCE.GROUP/NAME, a line an object.
func printNames(out io.Writer, object runtime.Object) error {
	if !apimeta.IsListType(object) {
		return printName(out, object)
	}
	return apimeta.EachListItem(object, func(item runtime.Object) error { return printName(out, item) })
}

func printName(out io.Writer, object runtime.Object) error {
	named, err := apimeta.Accessor(object)
	if err != nil {
		return err
	}
	kind := object.GetObjectKind().GroupVersionKind().GroupKind()
	_, err = fmt.Fprintf(out, "%s/%s\n", strings.ToLower(kind.String()), terminal.Safe(named.GetName()))
	return err
}

func (o *Output) formats() []string {
	formats := []string{OutputName, "json", "yaml", "jsonpath=TEMPLATE", "go-template=TEMPLATE"}
	if o.Wide {
		formats = append([]string{OutputWide}, formats...)
	}
	return formats
}

func (o *Output) completions() []cobra.Completion {
	formats := slices.Concat([]string{OutputName}, (&genericclioptions.JSONYamlPrintFlags{}).AllowedFormats(), o.flags.TemplatePrinterFlags.AllowedFormats())
	if o.Wide {
		formats = append([]string{OutputWide}, formats...)
	}
	return formats
}

// ManagedFields says whether managedFields are to be printed.
func (o *Output) ManagedFields() bool { return o.flags.JSONYamlPrintFlags.ShowManagedFields }
