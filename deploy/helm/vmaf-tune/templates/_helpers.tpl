{{- define "vmaf-tune.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "vmaf-tune.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "vmaf-tune.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "vmaf-tune.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "vmaf-tune.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vmaf-tune.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vmaf-tune.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "vmaf-tune.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "vmaf-tune.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "vmaf-tune.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- /* The security context of every container of ours. */}}
{{- define "vmaf-tune.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* Variables that both containers share, so that they agree on every place. */}}
{{- define "vmaf-tune.env" -}}
- name: HOME
  value: /tmp
- name: XDG_CONFIG_HOME
  value: /etc
- name: XDG_CACHE_HOME
  value: /var/cache
- name: VMAFTUNE_MODELS
  value: /var/lib/vmaf-tune/models
{{- if .Values.sidecar.trainer.enabled }}
- name: VMAFTUNE_TRAINER_SOCKET
  value: /run/vmaf-tune/trainer.sock
{{- end }}
{{- end }}

{{- /* A user's own variables: {NAME: value}. */}}
{{- define "vmaf-tune.userEnv" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* The volumes that can outlive the pod, with spaces between. */}}
{{- define "vmaf-tune.volumeNames" -}}
cache models{{ if .Values.sidecar.trainer.enabled }} checkpoints spool{{ end }}
{{- end }}

{{- /* Values that are each right and do not go together. */}}
{{- define "vmaf-tune.check" -}}
{{- if gt (int .Values.replicas) 1 }}
{{- if not .Values.worker.command }}
{{- fail "replicas above 1 with the built-in loop would search every file several times: give a worker.command that shares the work" }}
{{- end }}
{{- range $name := splitList " " (include "vmaf-tune.volumeNames" .) }}
{{- if and (index $.Values.persistence $name).enabled (or (ne $name "models") $.Values.sidecar.trainer.enabled) }}
{{- fail (printf "persistence.%s is for one pod: set replicas to 1 and install a release for each node" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
