{{/*
SPDX-License-Identifier: Apache-2.0

What of the chart is the same in config/ is in files/, written there by `make chart`. These
templates install it with the labels of a release.
*/}}

{{/* The labels of every object. */}}
{{- define "ascend.labels" -}}
app.kubernetes.io/name: ascend-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What selects the Pods. The same in config/, and never changed: a Deployment's selector is fixed. */}}
{{- define "ascend.selectorLabels" -}}
control-plane: controller-manager
app.kubernetes.io/name: ascend-operator
{{- end }}

{{/*
The objects of a file, with the labels of the release:
  root         the context of the chart
  path         the file
  kinds        the only kinds that are installed, all when not given
  except       the name of an object to leave out
  annotations  of every object
  labels       of every object
*/}}
{{- define "ascend.objects" -}}
{{- $labels := mergeOverwrite (dict) (.labels | default dict) (include "ascend.labels" .root | fromYaml) }}
{{- range splitList "\n---\n" (.root.Files.Get .path) }}
{{- $object := fromYaml . }}
{{- if hasKey $object "Error" }}
{{- fail (printf "%s: %s" $.path $object.Error) }}
{{- end }}
{{- if and (or (not $.kinds) (has $object.kind $.kinds)) (ne $object.metadata.name ($.except | default "")) }}
{{- $_ := set $object.metadata "labels" (mergeOverwrite (dict) ($object.metadata.labels | default dict) $labels) }}
{{- with $.annotations }}
{{- $_ := set $object.metadata "annotations" (mergeOverwrite (dict) ($object.metadata.annotations | default dict) .) }}
{{- end }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}
{{- end }}

{{/* The image: a digest wins over a tag. */}}
{{- define "ascend.image" -}}
{{- $repository := required "image.repository is not set, and no image is published yet: build one, as docs/operations.md says, and set image.repository and image.tag" .Values.image.repository }}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}
