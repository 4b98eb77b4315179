# fish completion of viam: the program itself says what can follow.
function __viam_complete
    set -l words (commandline -opc) (commandline -ct)
    viam __complete -- $words[2..-1] 2>/dev/null
end
complete -c viam -f -a '(__viam_complete)'
