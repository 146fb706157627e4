# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_flamectl_global_optspecs
    string join \n kubeconfig= context= n/namespace= request-timeout= as= as-group= v/verbose q/quiet color= progress= h/help V/version
end

function __fish_flamectl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_flamectl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_flamectl_using_subcommand
    set -l cmd (__fish_flamectl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c flamectl -n "__fish_flamectl_needs_command" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_needs_command" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_needs_command" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_needs_command" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_needs_command" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_needs_command" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_needs_command" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_needs_command" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_needs_command" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_needs_command" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_needs_command" -s V -l version -d 'Print version'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "up" -d 'Create or change a flame, and wait until it runs'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "status" -d 'Show how a flame is: state, ready Pods, what they wait for'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "logs" -d 'Show what a flame\'s Pods write'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "events" -d 'Show what happened to a flame\'s objects, oldest first'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "render" -d 'Print the objects that `up` would apply, without a server'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "down" -d 'Delete a flame\'s objects'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "watch" -d 'Keep flames as their files, or their records, say until interrupted'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "diff" -d 'Show what `up` would change'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "scale" -d 'Change the number of executors'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "restart" -d 'Replace a flame\'s Pods, or those of one component'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "validate" -d 'Check FlameCluster files, by themselves or for a server'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "init" -d 'Write a FlameCluster file to start from'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "explain" -d 'Tell what a field of a FlameCluster means, and what it may hold'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "schema" -d 'Print the JSON Schema of FlameCluster files, for editors, or of what flamectl prints'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "crd" -d 'Print the CustomResourceDefinition of FlameClusters, for `up --crd` and `watch --crd`'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "rbac" -d 'Print the least rights that commands need, as a Role, or check yours'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "install" -d 'Print all that keeps FlameCluster objects from inside the cluster, for kubectl'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "man" -d 'Print a man page'
complete -c flamectl -n "__fish_flamectl_needs_command" -f -a "version" -d 'Print the version'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s f -l filename -d 'Read the FlameCluster from FILE; - is standard input' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l flame-version -d 'Which Flame the images hold, where their tags do not tell: the annotation flame.xflops.io/flame-version' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l wait -d 'Wait for the result; --wait=false only sends' -r -f -a "true\t''
false\t''"
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l timeout -d 'Stop waiting after this time, as 90s, 5m or 1h30m; 0 looks once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l wait-for -d 'Wait until all executors are ready, until Flame\'s state is Running, or until N or N% of the executors are ready' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l max-unavailable -d 'Replace at most N or N% of the executors at once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l progress-deadline -d 'Stop replacing Pods when none got ready for this time' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l dry-run -d 'Show what would change and change nothing' -r -f -a "client\t'Nobody: it compares'
server\t'The server, without storing'"
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s o -l output -d 'Print the result in this format' -r -f -a "table\t'For people'
json\t'FlameCluster with its status'
yaml\t'FlameCluster with its status'
name\t'flamecluster.flame.xflops.io/NAME'"
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l crd -d 'Apply the FlameCluster itself to the server, and wait until whoever follows such objects made it so'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l strict -d 'Take warnings about the file for errors'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l force-conflicts -d 'Take fields that another tool applies'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l adopt -d 'Take over objects under this flame\'s names that flamectl did not make'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l create-namespace -d 'Create the namespace if it is not there'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -l skip-preflight -d 'Do not ask first whether it fits'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s y -l yes -d 'Do not ask before Pods are restarted or deleted'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s l -l selector -d 'Show only flames with these labels, as team=ml or \'team in (ml, vision)\'' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s o -l output -d 'Print in this format' -r -f -a "table\t'For people'
wide\t'With a line for each Pod; of a list with more columns'
json\t'FlameCluster with its status'
yaml\t'FlameCluster with its status'
name\t'flamecluster.flame.xflops.io/NAME'
jsonpath=TEMPLATE\t'What kubectl\'s template makes of the JSON'"
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s A -l all-namespaces -d 'Show the flames of all namespaces'
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s w -l watch -d 'Go on with every change until interrupted'
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -l no-headers -d 'Leave the table\'s header out'
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l since -d 'Show only lines of this time until now, as 90s, 5m or 1h30m' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l tail -d 'Show only the last N lines of each Pod; -1 shows all' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l prefix -d 'Say before each line which Pod wrote it; auto says it where there may be several' -r -f -a "auto\t'Where there may be several Pods'
true\t'Always'
false\t'Never'"
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l max-log-requests -d 'Read at most N Pods\' logs at once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -s f -l follow -d 'Go on with new lines until interrupted, those of Pods that are made meanwhile included'
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -s p -l previous -d 'Show what the containers wrote that ended before the running ones'
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -l timestamps -d 'Show the time of each line'
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l types -d 'Show only events of these types: Normal, Warning' -r -f -a "Normal\t''
Warning\t''"
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -s o -l output -d 'Print in this format' -r -f -a "table\t'For people'
json\t'One list; with --watch one line an event'
yaml\t'One list; with --watch one document an event'"
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -s w -l watch -d 'Go on with new events until interrupted'
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -s f -l filename -d 'Read the FlameCluster from FILE; - is standard input' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l flame-version -d 'Which Flame the images hold, where their tags do not tell: the annotation flame.xflops.io/flame-version' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -s o -l output -d 'Print in this format' -r -f -a "yaml\t'One document an object'
json\t'One List'"
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -l strict -d 'Take warnings about the file for errors'
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand render" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s f -l filename -d 'Take name and namespace from FILE; - is standard input' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l wait -d 'Wait for the result; --wait=false only sends' -r -f -a "true\t''
false\t''"
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l timeout -d 'Stop waiting after this time, as 90s, 5m or 1h30m; 0 looks once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s o -l output -d 'Print the result in this format' -r -f -a "table\t'For people'
name\t'flamecluster.flame.xflops.io/NAME'"
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s y -l yes -d 'Do not ask before Pods are restarted or deleted'
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand down" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -s f -l filename -d 'Keep the flames of these files, or of the files in these directories, and read them again whenever they change' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l log-format -d 'Write lines in this format' -r -f -a "text\t'The time, the level, the flame, and what happened'
json\t'One JSON object a line'"
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l listen -d 'Answer /healthz, /readyz and /metrics (Prometheus) over HTTP at this address, as 127.0.0.1:8080; port 0 takes a free one' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l lease -d 'The Lease to hold' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -s A -l all-namespaces -d 'Keep the flames, or with --crd the FlameCluster objects, of all namespaces'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l crd -d 'Keep the FlameCluster objects on the server (`flamectl crd` prints their definition), and write their status'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l once -d 'Look once, put right what has drifted, and end: 0 where nothing had, 1 where something had, more where it failed'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l dry-run -d 'Look once, tell what has drifted, and change nothing; the exit codes are those of --once'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -l leader-elect -d 'Work only while holding a Lease; of several processes with the same one, the others stand by'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -s f -l filename -d 'Read the FlameCluster from FILE; - is standard input' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l flame-version -d 'Which Flame the images hold, where their tags do not tell: the annotation flame.xflops.io/flame-version' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -s o -l output -d 'Print field by field as text, or one line an object as table' -r -f -a "text\t'Field by field'
table\t'One line an object'"
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l strict -d 'Take warnings about the file for errors'
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l exit-zero -d 'Exit 0 where there are differences'
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -l skip-preflight -d 'Do not ask first whether it fits'
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l replicas -d 'Number of executors, 0 to 10000' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l current-replicas -d 'Change nothing unless N is the number of executors so far' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l wait -d 'Wait for the result; --wait=false only sends' -r -f -a "true\t''
false\t''"
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l timeout -d 'Stop waiting after this time, as 90s, 5m or 1h30m; 0 looks once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -l skip-preflight -d 'Do not ask first whether it fits'
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -s y -l yes -d 'Do not ask before Pods are restarted or deleted'
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l wait -d 'Wait for the result; --wait=false only sends' -r -f -a "true\t''
false\t''"
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l timeout -d 'Stop waiting after this time, as 90s, 5m or 1h30m; 0 looks once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l max-unavailable -d 'Replace at most N or N% of the executors at once' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -l skip-preflight -d 'Do not ask first whether it fits'
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -s y -l yes -d 'Do not ask before Pods are restarted or deleted'
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -s f -l filename -d 'Check FILE, or the *.yaml, *.yml and *.json files of a directory; - is standard input (can be repeated)' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l flame-version -d 'Which Flame the images hold, where their tags do not tell: the annotation flame.xflops.io/flame-version' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -s o -l output -d 'Print what is wrong in this format' -r -f -a "text\t'For people, on standard error'
json\t'One object, to which later versions only add'
sarif\t'SARIF 2.1.0, for code hosts'
github\t'Workflow commands of GitHub Actions'"
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l strict -d 'Take warnings about the file for errors'
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -l server -d 'Ask the server, too, whether it would take the flames as it is now'
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l name -d 'Name the flame NAME' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l session-manager-image -d 'Run the session manager from IMAGE' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l session-manager-requests -d 'Request AMOUNTS for the session manager, as cpu=500m,memory=512Mi, or none' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l session-manager-limits -d 'Limit the session manager to AMOUNTS, as cpu=1,memory=1Gi, or none' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l slot -d 'Give each executor this much, as cpu=1,mem=1g, or none' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l executor-manager-image -d 'Run the executor managers from IMAGE' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l replicas -d 'Run N executor managers, 0 to 10000' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l executor-manager-requests -d 'Request AMOUNTS for each executor manager, as cpu=1,memory=2Gi, or none' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l executor-manager-limits -d 'Limit each executor manager to AMOUNTS, as cpu=2,memory=4Gi, or none' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -s y -l yes -d 'Do not ask for what the flags leave open'
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -l recursive -d 'Print the names of all fields below, and nothing else about them'
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l of -d 'What it is the schema of' -r -f -a "flamecluster\t'A FlameCluster file, for editors'
status\t'What `status` and `up` print with -o json'
progress\t'A line on standard error with --progress=json'
validate\t'What `validate` prints with -o json'"
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -s o -l output -d 'Print in this format' -r -f -a "yaml\t'One document an object'
json\t'One List'"
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand crd" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -s f -l filename -d 'For the flame that FILE says only' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l for -d 'For these commands only: up, status, down, scale, restart, diff, logs, events, watch' -r -f -a "up\t''
status\t''
down\t''
scale\t''
restart\t''
diff\t''
logs\t''
events\t''
watch\t''"
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l user -d 'Grant it to this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l group -d 'Grant it to this group' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l serviceaccount -d 'Grant it to this ServiceAccount' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -s A -l all-namespaces -d 'For the flames of all namespaces: a ClusterRole'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l crd -d 'For flames that live as FlameCluster objects'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l leader-elect -d 'For `watch --leader-elect`, too: the Lease flamectl-watch in the namespace of -n, or of the context'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -l check -d 'Print nothing but the rights that you lack, one a line: 0 where none is missing, 5 where one is'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand rbac" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l image -d 'Run this image of flamectl, as the Containerfile makes it' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -s o -l output -d 'Print in this format' -r -f -a "text\t'One line'
json\t'For scripts'"
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l kubeconfig -d 'Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l context -d 'Use this context of the kubeconfig' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -s n -l namespace -d 'Work in this namespace' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l request-timeout -d 'Give up on a single request after this time; 0 never does' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l as -d 'Act as this user' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l as-group -d 'Act as a member of this group (can be repeated)' -r
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -l progress -d 'Show progress in this way' -r -f -a "auto\t'As fits where it is read'
live\t'A display that is drawn over, where there is a terminal'
plain\t'One line a change, and a heartbeat'
json\t'One JSON object a line'
none\t'Not at all: errors only'"
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -s v -l verbose -d 'Tell more: every object, retry and request'
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -s q -l quiet -d 'Tell errors only'
complete -c flamectl -n "__fish_flamectl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
